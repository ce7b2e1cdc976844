"""Compliance > Retention: the schedule, the records due, and every deletion with its proof."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.gate.reason_sentences import REASON_SENTENCES, humanize_reason
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.reporting.models import ExportRequest
from rooftree.retention import purge_proof, purges
from rooftree.retention.models import LegalHold, PrivacyRequest, Purge
from rooftree.retention.record_sets import RECORD_SETS, RECORD_SETS_BY_NAME
from rooftree.retention.retention_schedule import CLOCK_EVENT_LABELS, SCHEDULE
from rooftree.retention.table_classes import CLASS_BY_TABLE
from rooftree.routing.permissions import has_permission
from rooftree.web.retention.privacy_request_views import request_lines
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

MAX_LISTED = 20
RECORD_LABELS = {  # by record set, to follow a count
    "lead": "inquiries",
    "message": "messages with their verdicts",
    "verdict": "verdicts without a message",
    "attempt": "calls",
    "delivery": "lead deliveries as received",
    "consent": "consents",
    "basis": "proofs for credit bureau leads",
    "revocation": "ended opt-outs",
    "unmatched text": "texts from unknown numbers",
    "introduction": "referrals",
    "spreadsheet": "uploaded spreadsheets",
    "notice": "staff notifications",
    "access": "audit log entries",
    "request": "privacy requests",
    "person": "people with their phone numbers and addresses",
}
PURGE_REASONS = {
    "schedule": "Retention schedule",
    "request": "Privacy request",
    "restore": "Repeated after a restore",
}


@staff_view("GET")
def show_retention(request: StaffRequest) -> HttpResponse:
    """Show the schedule, open requests, and deletions; one may wait for approval."""
    require_company_permission(request.user, "see_keeping")
    open_purge = Purge.objects.filter(reason="schedule", ended_at=None).first()
    context = {
        "has_context": True,
        "may_keep": has_permission(request.user, "keep_records"),
        "classes": _schedule_lines(open_purge),
        "waiting": open_purge if open_purge and open_purge.approved_at is None else None,
        "holds": LegalHold.objects.filter(lifted_at=None).count(),
        "requests": request_lines(
            PrivacyRequest.objects.filter(answered_at=None), today=company_day(request.at)
        ),
        "purges": [
            _purge_line(purge)
            for purge in _purges_with_counts().order_by("-planned_at", "-pk")[:MAX_LISTED]
        ],
        "export_requests": ExportRequest.objects.filter(decided_at=None).count(),
        "large": purges.SECOND_PERSON_ABOVE,
    }
    return render(request, "retention/show.html", context)


@staff_view("POST")
def count_due_records(request: StaffRequest) -> HttpResponse:
    """Count the records due for deletion now, without waiting for the scheduled count."""
    require_company_permission(request.user, "keep_records")
    back = reverse("keeping")
    if Purge.objects.filter(reason="schedule", ended_at=None).exists():
        return respond_refused(request, "Finish the open deletion first.", back_to=back)
    purge = purges.plan_scheduled_purge(at=request.at)
    words = f"{purge.counted:,} records are due" if purge else "No records are due"
    return respond_done(request, words, back_to=back)


@staff_view("GET")
def show_purge(request: StaffRequest, purge_id: UUID) -> HttpResponse:
    """Show one deletion with its counts, approvals, result and proof; fit to print."""
    require_company_permission(request.user, "see_keeping")
    purge = get_object_or_404(_purges_with_counts(), pk=purge_id)
    kept = Counter(purge.rows.exclude(kept_reason="").values_list("kept_reason", flat=True))
    context = {
        **_purge_line(purge),
        "counts": [
            {"name": RECORD_LABELS[name], "number": f"{number:,}",
             "rule": SCHEDULE[RECORD_SETS_BY_NAME[name].record_class]}
            for name, number in purge.counts.items()
        ],
        "slices": Event.objects.filter(
            kind=purges.PURGED_EVENT, data__purge=str(purge.pk)
        ).order_by("id"),
        "kept": [(_kept_reason_text(reason), number) for reason, number in kept.most_common()],
        "proof": purge_proof.prove_purges() if purge.ended_at else None,
        "may_keep": has_permission(request.user, "keep_records"),
        "is_mine": purge.requested_by_id == request.user.pk,
    }  # fmt: skip
    return render(request, "retention/purge.html", context)


@staff_view("POST")
def approve_purge(request: StaffRequest, purge_id: UUID) -> HttpResponse:
    """Approve a large deletion, as the first or the second person."""
    require_company_permission(request.user, "keep_records")
    purge = get_object_or_404(Purge, pk=purge_id)
    step = purges.approve_purge if purge.requested_by_id else purges.request_purge
    back = reverse("purge", args=[purge.pk])
    try:
        step(purge_id=purge.pk, by=request.user, at=request.at)
    except purges.PurgeRefused as problem:
        return respond_refused(request, str(problem), back_to=back)
    words = (
        "Deletion starts within seconds"
        if purge.requested_by_id
        else "A second person must approve"
    )
    return respond_done(request, words, back_to=back)


def _purges_with_counts() -> Any:
    counts = {
        "removed": Count("rows", filter=Q(rows__removed_at__isnull=False)),
        "left": Count("rows", filter=Q(rows__removed_at=None, rows__kept_reason="")),
    }
    return Purge.objects.select_related("requested_by", "approved_by").annotate(**counts)


def _purge_line(purge: Any) -> dict[str, Any]:
    if purge.ended_at:
        state = ("ok", "check", "Done")
    elif purge.approved_at:
        state = ("soon", "clock", "In progress")
    elif purge.requested_by_id:
        state = ("hold", "user", "Waiting for a second person")
    else:
        state = ("hold", "user", "Waiting for approval")
    return {"purge": purge, "state": state, "reason": PURGE_REASONS[purge.reason]}


def _schedule_lines(open_purge: Purge | None) -> list[dict[str, Any]]:
    """List the classes of the schedule that have records here, with how many are due."""
    due: Counter[str] = Counter()
    for name, number in open_purge.counts.items() if open_purge else ():
        due[RECORD_SETS_BY_NAME[name].record_class] += number
    stored = set(CLASS_BY_TABLE.values())
    deleted = {record_set.record_class for record_set in RECORD_SETS}
    return [
        {
            "rule": rule,
            "after": CLOCK_EVENT_LABELS[rule.clock_event] if rule.months else "",
            "due": due[key],
            "is_deleted": key in deleted,
        }
        for key, rule in SCHEDULE.items()
        if key in stored
    ]


def _kept_reason_text(reason: str) -> str:
    if reason == "legal_hold":
        return "A legal hold was placed in the meantime"
    if reason == purges.ALREADY_GONE:
        return "Already deleted"
    sentence = REASON_SENTENCES.get(reason) or humanize_reason(reason)
    return sentence[:1].upper() + sentence[1:]

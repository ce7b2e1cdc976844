"""Compliance, keeping: the schedule, what is due, and every removal with its proof."""

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
RECORD_LABELS = {  # holdings, as a count of them reads
    "lead": "inquiries",
    "message": "messages, each with its verdicts",
    "verdict": "verdicts without a message",
    "attempt": "calls",
    "delivery": "writings as received",
    "consent": "permissions",
    "basis": "proofs for leads of a credit bureau",
    "revocation": "lifted stops",
    "unmatched text": "texts of unknown numbers",
    "introduction": "introductions",
    "spreadsheet": "uploaded spreadsheets",
    "notice": "notices to staff",
    "access": "lines of the access log",
    "request": "requests about data",
    "person": "people, with their numbers and addresses",
}
PURGE_REASONS = {
    "schedule": "By the schedule",
    "request": "A person asked",
    "restore": "Again, after a restore",
}


@staff_view("GET")
def show_retention(request: StaffRequest) -> HttpResponse:
    """What is kept and how long, what waits for a person, and what was removed."""
    require_company_permission(request.user, "see_keeping")
    open_ = Purge.objects.filter(because="schedule", ended_at=None).first()
    context = {
        "has_context": True,
        "may_keep": has_permission(request.user, "keep_records"),
        "classes": _schedule_lines(open_),
        "waiting": open_ if open_ and open_.approved_at is None else None,
        "holds": LegalHold.objects.filter(lifted_at=None).count(),
        "requests": request_lines(
            PrivacyRequest.objects.filter(answered_at=None), today=company_day(request.at)
        ),
        "purges": [
            _purge_line(purges_with_count)
            for purges_with_count in _purges_with_counts().order_by("-planned_at", "-pk")[
                :MAX_LISTED
            ]
        ],
        "asks": ExportRequest.objects.filter(decided_at=None).count(),
        "large": purges.SECOND_PERSON_ABOVE,
    }
    return render(request, "retention/show.html", context)


@staff_view("POST")
def count_due_records(request: StaffRequest) -> HttpResponse:
    """Count what is due now, instead of waiting for the clock to."""
    require_company_permission(request.user, "keep_records")
    back = reverse("keeping")
    if Purge.objects.filter(because="schedule", ended_at=None).exists():
        return respond_refused(
            request, "One removal is open already; it comes first.", back_to=back
        )
    found = purges.plan_scheduled_purge(at=request.at)
    said = f"{found.counted:,} records are due" if found else "Nothing is due"
    return respond_done(request, said, back_to=back)


@staff_view("GET")
def show_purge(request: StaffRequest, purge_id: UUID) -> HttpResponse:
    """One removal: counted, approved, removed, and what proves it; fit to print."""
    require_company_permission(request.user, "see_keeping")
    one = get_object_or_404(_purges_with_counts(), pk=purge_id)
    kept = Counter(one.rows.exclude(kept_because="").values_list("kept_because", flat=True))
    context = {
        **_purge_line(one),
        "counts": [
            {"name": RECORD_LABELS[name], "holding": RECORD_SETS_BY_NAME[name], "number": f"{number:,}",
             "law": SCHEDULE[RECORD_SETS_BY_NAME[name].record_class]}
            for name, number in one.counts.items()
        ],
        "slices": Event.objects.filter(kind=purges.PURGED_EVENT, data__purge=str(one.pk)).order_by("id"),
        "kept": [(_kept_reason_text(reason), number) for reason, number in kept.most_common()],
        "seen": purge_proof.prove_purges() if one.ended_at else None,
        "may_keep": has_permission(request.user, "keep_records"),
        "is_mine": one.asked_by_id == request.user.pk,
    }  # fmt: skip
    return render(request, "retention/purge.html", context)


@staff_view("POST")
def approve_purge(request: StaffRequest, purge_id: UUID) -> HttpResponse:
    """The first or the second of two people lets a large removal go."""
    require_company_permission(request.user, "keep_records")
    one = get_object_or_404(Purge, pk=purge_id)
    step = purges.approve_purge if one.asked_by_id else purges.request_purge
    back = reverse("purge", args=[one.pk])
    try:
        step(purge_id=one.pk, by=request.user, at=request.at)
    except purges.PurgeRefused as problem:
        return respond_refused(request, str(problem), back_to=back)
    said = "It begins within seconds" if one.asked_by_id else "A second person must approve it now"
    return respond_done(request, said, back_to=back)


def _purges_with_counts() -> Any:
    of_rows = {
        "removed": Count("rows", filter=Q(rows__removed_at__isnull=False)),
        "left": Count("rows", filter=Q(rows__removed_at=None, rows__kept_because="")),
    }
    return Purge.objects.select_related("asked_by", "approved_by").annotate(**of_rows)


def _purge_line(one: Any) -> dict[str, Any]:
    if one.ended_at:
        state = ("ok", "check", "Done")
    elif one.approved_at:
        state = ("soon", "clock", "Under way")
    else:
        state = ("hold", "user", "Waits for a second person" if one.asked_by_id else "Waits")
    return {"one": one, "state": state, "because": PURGE_REASONS[one.because]}


def _schedule_lines(open_: Purge | None) -> list[dict[str, Any]]:
    """Every class of the schedule that we hold records of, with what of it is due."""
    due: Counter[str] = Counter()
    for name, number in open_.counts.items() if open_ else ():
        due[RECORD_SETS_BY_NAME[name].record_class] += number
    held, removed = set(CLASS_BY_TABLE.values()), {record_set.record_class for record_set in RECORD_SETS}
    return [
        {
            "one": one,
            "after": CLOCK_EVENT_LABELS[one.clock_event] if one.months else "",
            "due": due[key],
            "goes": key in removed,
        }
        for key, one in SCHEDULE.items()
        if key in held
    ]


def _kept_reason_text(reason: str) -> str:
    if reason == "legal_hold":
        return "A legal hold was placed meanwhile"
    if reason == purges.ALREADY_GONE:
        return "It was gone before"
    return (REASON_SENTENCES.get(reason) or humanize_reason(reason)).capitalize()

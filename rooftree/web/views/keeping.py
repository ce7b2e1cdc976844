"""Compliance, keeping: the schedule, what is due, and every removal with its proof."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.keeping import proof, purges
from rooftree.compliance.keeping.holdings import HOLDINGS, NAMED
from rooftree.compliance.keeping.models import LegalHold, PrivacyRequest, Purge
from rooftree.compliance.keeping.schedule import AFTER, SCHEDULE
from rooftree.compliance.keeping.tables import CLASS_OF
from rooftree.compliance.reasons import MESSAGES, spelled
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.reporting.models import ExportAsk
from rooftree.routing.visible import may
from rooftree.web.answers import done, refused
from rooftree.web.page import must_for_all, staff
from rooftree.web.views.privacy_requests import lines_of

SHOWN = 20
CALLED = {  # holdings, as a count of them reads
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
BECAUSE = {
    "schedule": "By the schedule",
    "request": "A person asked",
    "restore": "Again, after a restore",
}


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """What is kept and how long, what waits for a person, and what was removed."""
    must_for_all(request.user, "see_keeping")
    open_ = Purge.objects.filter(because="schedule", ended_at=None).first()
    context = {
        "has_context": True,
        "may_keep": may(request.user, "keep_records"),
        "classes": _classes(open_),
        "waiting": open_ if open_ and open_.approved_at is None else None,
        "holds": LegalHold.objects.filter(lifted_at=None).count(),
        "requests": lines_of(
            PrivacyRequest.objects.filter(answered_at=None), today=company_day(request.at)
        ),
        "purges": [_line(one) for one in _purges().order_by("-planned_at", "-pk")[:SHOWN]],
        "asks": ExportAsk.objects.filter(decided_at=None).count(),
        "large": purges.LARGE,
    }
    return render(request, "compliance/keeping/show.html", context)


@staff("POST")
def count(request: HttpRequest) -> HttpResponse:
    """Count what is due now, instead of waiting for the clock to."""
    must_for_all(request.user, "keep_records")
    back = reverse("keeping")
    if Purge.objects.filter(because="schedule", ended_at=None).exists():
        return refused(request, "One removal is open already; it comes first.", back_to=back)
    found = purges.plan(at=request.at)
    said = f"{found.counted:,} records are due" if found else "Nothing is due"
    return done(request, said, back_to=back)


@staff("GET")
def purge(request: HttpRequest, purge_id: UUID) -> HttpResponse:
    """One removal: counted, approved, removed, and what proves it; fit to print."""
    must_for_all(request.user, "see_keeping")
    one = get_object_or_404(_purges(), pk=purge_id)
    kept = Counter(one.rows.exclude(kept_because="").values_list("kept_because", flat=True))
    context = {
        **_line(one),
        "counts": [
            {"name": CALLED[name], "holding": NAMED[name], "number": f"{number:,}",
             "law": SCHEDULE[NAMED[name].record]}
            for name, number in one.counts.items()
        ],
        "slices": Event.objects.filter(kind=purges.EVENT, data__purge=str(one.pk)).order_by("id"),
        "kept": [(_why(reason), number) for reason, number in kept.most_common()],
        "seen": proof.prove() if one.ended_at else None,
        "may_keep": may(request.user, "keep_records"),
        "is_mine": one.asked_by_id == request.user.pk,
    }  # fmt: skip
    return render(request, "compliance/keeping/purge.html", context)


@staff("POST")
def approval(request: HttpRequest, purge_id: UUID) -> HttpResponse:
    """The first or the second of two people lets a large removal go."""
    must_for_all(request.user, "keep_records")
    one = get_object_or_404(Purge, pk=purge_id)
    step = purges.approve if one.asked_by_id else purges.ask
    back = reverse("purge", args=[one.pk])
    try:
        step(purge_id=one.pk, by=request.user, at=request.at)
    except purges.CannotPurge as problem:
        return refused(request, str(problem), back_to=back)
    said = "It begins within seconds" if one.asked_by_id else "A second person must approve it now"
    return done(request, said, back_to=back)


def _purges() -> Any:
    of_rows = {
        "removed": Count("rows", filter=Q(rows__removed_at__isnull=False)),
        "left": Count("rows", filter=Q(rows__removed_at=None, rows__kept_because="")),
    }
    return Purge.objects.select_related("asked_by", "approved_by").annotate(**of_rows)


def _line(one: Any) -> dict[str, Any]:
    if one.ended_at:
        state = ("ok", "check", "Done")
    elif one.approved_at:
        state = ("soon", "clock", "Under way")
    else:
        state = ("hold", "user", "Waits for a second person" if one.asked_by_id else "Waits")
    return {"one": one, "state": state, "because": BECAUSE[one.because]}


def _classes(open_: Purge | None) -> list[dict[str, Any]]:
    """Every class of the schedule that we hold records of, with what of it is due."""
    due: Counter[str] = Counter()
    for name, number in open_.counts.items() if open_ else ():
        due[NAMED[name].record] += number
    held, removed = set(CLASS_OF.values()), {one.record for one in HOLDINGS}
    return [
        {
            "one": one,
            "after": AFTER[one.after] if one.months else "",
            "due": due[key],
            "goes": key in removed,
        }
        for key, one in SCHEDULE.items()
        if key in held
    ]


def _why(reason: str) -> str:
    if reason == "legal_hold":
        return "A legal hold was placed meanwhile"
    if reason == purges.GONE_BEFORE:
        return "It was gone before"
    return (MESSAGES.get(reason) or spelled(reason)).capitalize()

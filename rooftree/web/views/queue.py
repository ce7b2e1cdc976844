"""The officer's queue: whom to act on, best first; offers; and whether they take leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import offers as flow
from rooftree.leads.models import Lead
from rooftree.org import availability as switch
from rooftree.outreach.models import Message
from rooftree.routing import acknowledge, work_queue
from rooftree.routing.models import Offer
from rooftree.web import cards, my_month, squares
from rooftree.web.answers import done, refused
from rooftree.web.page import officer_of, staff

TABS = {"now": "Now", "today": "Today", "waiting": "Waiting on borrower"}
NOTHING = {
    "now": ("Nothing is waiting for you", "New leads come here by themselves, the moment they do."),
    "today": ("Nothing else is due today", "What falls due later is under “Waiting on borrower”."),
    "waiting": ("Nobody owes you an answer", "Leads you have reached and written to wait here."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The one thing to do about a row."""

    label: str
    icon: str
    key: str
    href: str
    then: str = ""  # the page to open meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the queue with what stands beside it."""

    row: Any
    squares: list[squares.Square]
    acts: list[Act]
    is_top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines under one heading."""

    label: str
    lines: list[Line]


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """One tab of the queue; for htmx its rows, the counts and the lead in hand."""
    tab = request.GET.get("tab", "now")
    tab = tab if tab in TABS else "now"
    rows = work_queue.for_officer(request.user, at=request.at, tab=tab)
    lines = _lines(rows, request.at, top=tab == "now")
    officer = officer_of(request.user)
    context = {
        "has_context": True,
        "tab": tab,
        "tabs_of_queue": _tabs(request, tab, len(rows)),
        "groups": grouped(lines),
        "nothing": NOTHING[tab],
        "officer": officer,
        **_in_hand(rows),
    }
    if request.htmx:
        return render(request, "queue/show.html#parts", context)
    context["month"] = my_month.of_officer(officer, request.at) if officer else None
    return render(request, "queue/show.html", context)


def grouped(lines: Sequence[Line]) -> list[Group]:
    """Neighbours under the same heading, in the order they came."""
    made: list[Group] = []
    for line in lines:
        if not made or made[-1].label != line.row.group:
            made.append(Group(label=line.row.group, lines=[]))
        made[-1].lines.append(line)
    return made


def _lines(rows: Sequence[Any], at: datetime, *, top: bool) -> list[Line]:
    beside = squares.of_leads([row.lead for row in rows], at)
    return [
        Line(
            row=row,
            squares=beside[row.lead.pk],
            acts=_acts(row, beside[row.lead.pk], both=top and place == 0),
            is_top=top and place == 0,
        )
        for place, row in enumerate(rows)
    ]


def _acts(row: Any, beside: list[squares.Square], *, both: bool) -> list[Act]:
    """What may be pressed: the answer in their medium, else call, else what is left."""
    page = reverse("lead", args=[row.lead.pk])
    write = reverse("messages", args=[row.lead.pk])
    number = next((p.e164 for p in row.lead.person.phones.all() if not p.unlinked_at), "")
    can = {square.medium: square.kind == "ok" for square in beside}
    made = {
        "call": Act(label="Call", icon="phone", key="c", href=f"tel:{number}", then=page),
        "text": Act(label="Text", icon="text", key="t", href=f"{write}?medium=text"),
        "email": Act(label="E-mail", icon="mail", key="e", href=f"{write}?medium=email"),
    }
    order = ["text", "call", "email"] if row.wrote else ["call", "text", "email"]
    allowed = [made[medium] for medium in order if can[medium]]
    if not allowed:
        return [Act(label="Open", icon="right", key="c", href=page)]
    return allowed[: 2 if both else 1]


def _tabs(request: HttpRequest, tab: str, number: int) -> list[dict[str, Any]]:
    counts = {**work_queue.counts(request.user, at=request.at), tab: number}
    return [
        {"key": key, "label": label, "number": counts.get(key), "is_current": key == tab}
        for key, label in TABS.items()
    ]


def _in_hand(rows: Sequence[Any]) -> dict[str, Any]:
    if not rows:
        return {"in_hand": None}
    lead: Lead = rows[0].lead
    sent = Message.objects.filter(lead=lead, direction="out", sent_at__isnull=False)
    return {
        "in_hand": lead,
        "in_hand_phone": next((p for p in lead.person.phones.all() if not p.unlinked_at), None),
        "in_hand_zone": cards.zone_of(lead),
        "in_hand_message": sent.order_by("-sent_at").first(),
    }


@staff("GET")
def offers(request: HttpRequest) -> HttpResponse:
    """The leads offered to this officer right now, as cards over whatever page is open."""
    officer = officer_of(request.user)
    rows = (
        Offer.objects.filter(
            officer=officer, taken_at=None, passed_at=None, lapsed_at=None, due_at__gt=request.at
        )
        .select_related("lead__source", "decision")
        .order_by("due_at", "id")[:3]
    )
    template = "offers/show.html#cards" if request.htmx else "offers/show.html"
    return render(request, template, {"offers": rows if officer else []})


@staff("POST")
def acceptance(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """Take an offered lead; answers with why not when it has gone to somebody else."""
    try:
        offer = flow.take(offer_id=offer_id, officer_id=_officer(request).pk, at=request.at)
    except acknowledge.CannotTake as problem:
        return refused(request, str(problem), back_to=reverse("queue"))
    page = reverse("lead", args=[offer.lead_id])
    answer = done(request, "The lead is yours", back_to=page)
    if request.htmx:
        answer["HX-Redirect"] = page
    return answer


@staff("POST")
def refusal(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """Pass an offered lead on to the next person of the chain."""
    try:
        flow.decline(offer_id=offer_id, officer_id=_officer(request).pk, at=request.at)
    except acknowledge.CannotTake as problem:
        return refused(request, str(problem), back_to=reverse("queue"))
    return done(request, "Passed on to the next in turn", back_to=reverse("queue"))


@staff("POST")
def availability(request: HttpRequest) -> HttpResponse:
    """The officer's own switch: taking leads or not."""
    officer, takes = _officer(request), request.POST.get("takes") == "yes"
    switch.turn(officer_id=officer.pk, takes=takes, by=request.user, at=request.at)
    said = "You are taking leads" if takes else "No new leads until you switch back"
    return done(request, said, back_to=reverse("queue"))


def _officer(request: HttpRequest) -> Any:
    officer = officer_of(request.user)
    if officer is None:
        raise PermissionDenied("Only the loan officer can do this.")
    return officer

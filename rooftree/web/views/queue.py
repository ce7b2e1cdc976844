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

from rooftree.flow import attempts
from rooftree.flow import offers as flow
from rooftree.leads.models import Lead
from rooftree.org import availability as switch
from rooftree.org.compiled import Reads
from rooftree.org.models import LoanOfficer
from rooftree.outreach import opening
from rooftree.outreach.models import Message
from rooftree.routing import acknowledge, owed, work_queue
from rooftree.routing.models import Offer
from rooftree.routing.visible import may
from rooftree.routing.work_queue import Group, Row, Tab
from rooftree.web import cards, counts, my_month, squares
from rooftree.web.addresses import address_of
from rooftree.web.answers import done, moved, refused
from rooftree.web.page import officer_of, staff

TABS = {Tab.NOW: "Now", Tab.TODAY: "Today", Tab.WAITING: "Waiting on borrower"}
LEADS = Reads(
    lambda keys: (
        Lead.objects.select_related("person", "source", "officer__user")
        .defer("details")
        .filter(pk__in=keys)
    ),
    keys=list[UUID],
)
SENT = Reads(  # the newest first
    lambda lead_id: Message.objects.filter(
        lead_id=lead_id, direction="out", sent_at__isnull=False
    ).order_by("-sent_at")[:1],
    lead_id=UUID,
)
AT_ONCE = 25  # rows; more are fetched as they are scrolled to
NOTHING = {
    Tab.NOW: ("Nothing is waiting for you", "New leads come here by themselves."),
    Tab.TODAY: ("Nothing else is due today", "What falls due later waits on the borrower."),
    Tab.WAITING: ("Nobody owes you an answer", "Leads you have tried or set aside wait here."),
}
HEADINGS = {  # heading, what stands beside it, the answer to "Why?"
    Group.PROMISE: (
        "Promise running",
        "a person owes them a call",
        "Here, because a call is promised and nobody has made it.",
    ),
    Group.REPLY: (
        "They wrote, you answer",
        "oldest first",
        "Here, because they wrote and nobody has answered.",
    ),
    Group.TASK: (
        "To do now",
        "longest due first",
        "Here, because something you are to do about it is due.",
    ),
    Group.NEXT: (
        "Best next calls",
        "the hour allows a call, by score",
        "Here by score, among those whom the hour allows to be called.",
    ),
    Group.WAITING: (
        "Waiting on borrower",
        "tried lately, or set aside",
        "Here, because it is their turn, or you set it aside.",
    ),
}
LATER = (
    "Next, when calls open",
    "too early or too late there now, by score",
    "Here by score, after everybody whom the hour allows to be called.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing to do about a row: a link, or a form to post."""

    label: str
    icon: str
    key: str
    href: str
    then: str = ""  # the page to open while the phone dials
    posts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the queue with what stands beside it."""

    row: Row
    lead: Lead
    page: str
    squares: list[squares.Square]
    acts: list[Act]
    is_top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines under one heading."""

    label: str
    note: str
    why: str
    lines: list[Line]


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """One tab of the queue; for htmx its rows, the switch and the lead in hand."""
    if not may(request.user, "see_queue"):
        raise PermissionDenied("The queue belongs to loan officers and their assistants.")
    asked = request.GET.get("tab", "")
    tab = Tab(asked) if asked in set(Tab) else Tab.NOW
    rows = work_queue.for_officer(request.user, at=request.at, tab=tab)
    shown = _shown(request)
    lines = _lines(rows[:shown], request.at, top=tab is Tab.NOW)
    officer = officer_of(request.user)
    context = {
        "has_context": True,
        "tab": tab,
        "tabs_of_queue": TABS.items(),
        "number": len(rows),
        "shown": shown,
        "more": min(shown + AT_ONCE, len(rows)) if len(rows) > shown else None,
        "sections": sections(lines),
        "nothing": NOTHING[tab],
        "officer": officer,
        "task_count": counts.how_many(owed.of_user, request.user),
        **_in_hand(lines),
    }
    if request.htmx:
        return render(request, "queue/show.html#parts", context)
    context["month"] = my_month.of_officer(officer, request.at) if officer else None
    return render(request, "queue/show.html", context)


def _shown(request: HttpRequest) -> int:
    """How many rows the page has come to, of the list as it is now."""
    asked = request.GET.get("shown", "")
    return (
        max(AT_ONCE, min(int(asked), work_queue.LONGEST))
        if asked.isdigit() and asked.isascii()
        else AT_ONCE
    )


def sections(lines: Sequence[Line]) -> list[Section]:
    """Neighbours under the same heading, in the order they came."""
    made: list[Section] = []
    for line in lines:
        label, note, why = _heading(line.row)
        if not made or made[-1].label != label:
            made.append(Section(label=label, note=note, why=why, lines=[]))
        made[-1].lines.append(line)
    return made


def _heading(row: Row) -> tuple[str, str, str]:
    is_later = row.group is Group.NEXT and row.opens_at is not None
    return LATER if is_later else HEADINGS[row.group]


def _lines(rows: Sequence[Row], at: datetime, *, top: bool) -> list[Line]:
    leads = {lead.pk: lead for lead in LEADS.all(keys=[row.lead_id for row in rows])}
    beside = squares.of_leads([leads[row.lead_id] for row in rows], at)
    return [
        _line(row, leads[row.lead_id], beside[row.lead_id], is_top=top and place == 0)
        for place, row in enumerate(rows)
    ]


def _line(row: Row, lead: Lead, beside: list[squares.Square], *, is_top: bool) -> Line:
    page = address_of("lead", lead.pk)
    acts = _acts(row, lead, beside, page)[: 2 if is_top else 1]
    return Line(row=row, lead=lead, page=page, squares=beside, acts=acts, is_top=is_top)


def _acts(row: Row, lead: Lead, beside: list[squares.Square], page: str) -> list[Act]:
    """What may be pressed: an offer is taken first; then their own medium, else the call."""
    if row.offer_id:
        href = address_of("acceptance", row.offer_id)
        return [Act(label="Take it", icon="check", key="a", href=href, posts=True)]
    write = address_of("messages", lead.pk)
    call = address_of("calls", lead.pk)
    can = {square.medium: square.may_press for square in beside}
    made = {
        "call": Act(label="Call", icon="phone", key="c", href=call, then=page, posts=True),
        "text": Act(label="Text", icon="text", key="t", href=f"{write}?medium=text"),
        "email": Act(label="E-mail", icon="mail", key="e", href=f"{write}?medium=email"),
    }
    order = ["call", "text", "email"]
    if row.group is Group.REPLY:
        order = ["text", "call", "email"]
    allowed = [made[medium] for medium in order if can[medium]]
    return allowed or [Act(label="Open", icon="right", key="c", href=page)]


def _in_hand(lines: Sequence[Line]) -> dict[str, Any]:
    mine = next((line.lead for line in lines if not line.row.offer_id), None)
    if mine is None:
        return {"in_hand": None}
    return {
        "in_hand": mine,
        "in_hand_phone": next((p for p in mine.person.phones.all() if not p.unlinked_at), None),
        "in_hand_zone": cards.zone_of(mine),
        "in_hand_message": SENT.first(lead_id=mine.pk),
    }


@staff("GET")
def offers(request: HttpRequest) -> HttpResponse:
    """Over whatever page is open: leads offered now, and what to say on a call put through."""
    officer = officer_of(request.user)
    rows = (
        Offer.objects.filter(
            officer=officer, taken_at=None, passed_at=None, lapsed_at=None, due_at__gt=request.at
        )
        .select_related("lead__source", "decision")
        .order_by("due_at", "id")[:3]
    )
    template = "offers/show.html#cards" if request.htmx else "offers/show.html"
    context = {"offers": rows if officer else [], **_put_through(request)}
    return render(request, template, context)


def _put_through(request: HttpRequest) -> dict[str, Any]:
    """The call a ring connected, on every page but the lead's own, which shows the words itself."""
    call = attempts.on_the_line(request.user, request.at)
    if call is None or request.htmx.current_url_abs_path == address_of("lead", call.lead_id):
        return {}
    return {
        "lead": call.lead,
        "opening": opening.before(call.at, lead=call.lead, by=request.user),
    }


@staff("POST")
def acceptance(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """Take an offered lead; answers with why not when it has gone to somebody else."""
    try:
        offer = flow.take(offer_id=offer_id, officer_id=_officer(request).pk, at=request.at)
    except acknowledge.CannotTake as problem:
        return refused(request, str(problem), back_to=reverse("queue"))
    page = reverse("lead", args=[offer.lead_id])
    return moved(request, "The lead is yours", to=page)


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
    turn = switch.resume if takes else switch.pause
    turn(officer_id=officer.pk, by=request.user, at=request.at)
    said = "You are taking leads" if takes else "No new leads until you switch back"
    return done(request, said, back_to=reverse("queue"))


def _officer(request: HttpRequest) -> LoanOfficer:
    officer = officer_of(request.user)
    if officer is None:
        raise PermissionDenied("Only the loan officer can do this.")
    return officer

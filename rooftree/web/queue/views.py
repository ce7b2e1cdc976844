"""The officer's queue: whom to act on, best first; offers; and whether they take leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow import call_outcomes
from rooftree.flow import lead_offers as flow
from rooftree.leads.models import Lead
from rooftree.org import officer_availability as switch
from rooftree.org.models import LoanOfficer
from rooftree.outreach.calls import call_script
from rooftree.outreach.models import Message
from rooftree.routing import answer_offer, task_lists, work_queue
from rooftree.routing.models import Offer
from rooftree.routing.permissions import has_permission
from rooftree.routing.work_queue import Group, QueueRow, Tab
from rooftree.web.lead import lead_cards
from rooftree.web.queue import officer_month
from rooftree.web.shared import contact_status, navigation_counts
from rooftree.web.shared.cached_urls import url_for
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view, user_officer

TABS = {Tab.NOW: "Now", Tab.TODAY: "Today", Tab.WAITING: "Waiting on borrower"}
LEADS_QUERY = PreparedQuery(
    lambda keys: (
        Lead.objects.select_related("person", "source", "officer__user")
        .defer("details")
        .filter(pk__in=keys)
    ),
    keys=list[UUID],
)
LAST_SENT_QUERY = PreparedQuery(  # the newest first
    lambda lead_id: Message.objects.filter(
        lead_id=lead_id, direction="out", sent_at__isnull=False
    ).order_by("-sent_at")[:1],
    lead_id=UUID,
)
PAGE_SIZE = 25  # rows; more are fetched as they are scrolled to
EMPTY_TEXTS = {
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
LATER_HEADING = (
    "Next, when calls open",
    "too early or too late there now, by score",
    "Here by score, after everybody whom the hour allows to be called.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAction:
    """One thing to do about a row: a link, or a form to post."""

    label: str
    icon: str
    key: str
    href: str
    then: str = ""  # the page to open while the phone dials
    posts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """A row of the queue with what stands beside it."""

    row: QueueRow
    lead: Lead
    page: str
    squares: list[contact_status.ContactStatus]
    acts: list[RowAction]
    is_top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSection:
    """Lines under one heading."""

    label: str
    note: str
    why: str
    lines: list[QueueLine]


@staff_view("GET")
def show_queue(request: StaffRequest) -> HttpResponse:
    """One tab of the queue; for htmx its rows, the switch and the lead in hand."""
    if not has_permission(request.user, "see_queue"):
        raise PermissionDenied("The queue belongs to loan officers and their assistants.")
    asked = request.GET.get("tab", "")
    tab = Tab(asked) if asked in set(Tab) else Tab.NOW
    rows = work_queue.list_rows(request.user, at=request.at, tab=tab)
    shown = _rows_to_show(request)
    lines = _build_lines(rows[:shown], request.at, top=tab is Tab.NOW)
    officer = user_officer(request.user)
    context = {
        "has_context": True,
        "tab": tab,
        "tabs_of_queue": TABS.items(),
        "number": len(rows),
        "shown": shown,
        "more": min(shown + PAGE_SIZE, len(rows)) if len(rows) > shown else None,
        "sections": group_sections(lines),
        "nothing": EMPTY_TEXTS[tab],
        "officer": officer,
        "task_count": navigation_counts.count_for_user(task_lists.tasks_of_user, request.user),
        **_current_lead_context(lines),
    }
    if request.htmx:
        return render(request, "queue/show.html#parts", context)
    context["month"] = officer_month.load_officer_month(officer, request.at) if officer else None
    return render(request, "queue/show.html", context)


def _rows_to_show(request: StaffRequest) -> int:
    """How many rows the page has come to, of the list as it is now."""
    asked = request.GET.get("shown", "")
    return (
        max(PAGE_SIZE, min(int(asked), work_queue.MAX_ROWS))
        if asked.isdigit() and asked.isascii()
        else PAGE_SIZE
    )


def group_sections(lines: Sequence[QueueLine]) -> list[QueueSection]:
    """Neighbours under the same heading, in the order they came."""
    made: list[QueueSection] = []
    for line in lines:
        label, note, why = _row_heading(line.row)
        if not made or made[-1].label != label:
            made.append(QueueSection(label=label, note=note, why=why, lines=[]))
        made[-1].lines.append(line)
    return made


def _row_heading(row: QueueRow) -> tuple[str, str, str]:
    is_later = row.group is Group.NEXT and row.opens_at is not None
    return LATER_HEADING if is_later else HEADINGS[row.group]


def _build_lines(rows: Sequence[QueueRow], at: datetime, *, top: bool) -> list[QueueLine]:
    leads = {lead.pk: lead for lead in LEADS_QUERY.all(keys=[row.lead_id for row in rows])}
    beside = contact_status.build_contact_statuses([leads[row.lead_id] for row in rows], at)
    return [
        _build_line(row, leads[row.lead_id], beside[row.lead_id], is_top=top and place == 0)
        for place, row in enumerate(rows)
    ]


def _build_line(
    row: QueueRow, lead: Lead, beside: list[contact_status.ContactStatus], *, is_top: bool
) -> QueueLine:
    page = url_for("lead", lead.pk)
    acts = _row_actions(row, lead, beside, page)[: 2 if is_top else 1]
    return QueueLine(row=row, lead=lead, page=page, squares=beside, acts=acts, is_top=is_top)


def _row_actions(
    row: QueueRow, lead: Lead, beside: list[contact_status.ContactStatus], page: str
) -> list[RowAction]:
    """What may be pressed: an offer is taken first; then their own medium, else the call."""
    if row.offer_id:
        href = url_for("acceptance", row.offer_id)
        return [RowAction(label="Take it", icon="check", key="a", href=href, posts=True)]
    write = url_for("messages", lead.pk)
    call = url_for("calls", lead.pk)
    can = {square.medium: square.may_press for square in beside}
    made = {
        "call": RowAction(label="Call", icon="phone", key="c", href=call, then=page, posts=True),
        "text": RowAction(label="Text", icon="text", key="t", href=f"{write}?medium=text"),
        "email": RowAction(label="E-mail", icon="mail", key="e", href=f"{write}?medium=email"),
    }
    order = ["call", "text", "email"]
    if row.group is Group.REPLY:
        order = ["text", "call", "email"]
    allowed = [made[medium] for medium in order if can[medium]]
    return allowed or [RowAction(label="Open", icon="right", key="c", href=page)]


def _current_lead_context(lines: Sequence[QueueLine]) -> dict[str, Any]:
    mine = next((line.lead for line in lines if not line.row.offer_id), None)
    if mine is None:
        return {"in_hand": None}
    return {
        "in_hand": mine,
        "in_hand_phone": next((p for p in mine.person.phones.all() if not p.unlinked_at), None),
        "in_hand_zone": lead_cards.borrower_zone(mine),
        "in_hand_message": LAST_SENT_QUERY.first(lead_id=mine.pk),
    }


@staff_view("GET")
def show_offers(request: StaffRequest) -> HttpResponse:
    """Over whatever page is open: leads offered now, and what to say on a call put through."""
    officer = user_officer(request.user)
    rows = (
        Offer.objects.filter(
            officer=officer, taken_at=None, passed_at=None, lapsed_at=None, due_at__gt=request.at
        )
        .select_related("lead__source", "decision")
        .order_by("due_at", "id")[:3]
    )
    template = "queue/offers.html#cards" if request.htmx else "queue/offers.html"
    context = {"offers": rows if officer else [], **_connected_call_context(request)}
    return render(request, template, context)


def _connected_call_context(request: StaffRequest) -> dict[str, Any]:
    """The call a ring connected, on every page but the lead's own, which shows the words itself."""
    call = call_outcomes.connected_call(request.user, request.at)
    if call is None or request.htmx.current_url_abs_path == url_for("lead", call.lead_id):
        return {}
    return {
        "lead": call.lead,
        "opening": call_script.script_for_call(call.at, lead=call.lead, by=request.user),
    }


@staff_view("POST")
def accept_offer(request: StaffRequest, offer_id: UUID) -> HttpResponse:
    """Take an offered lead; answers with why not when it has gone to somebody else."""
    try:
        offer = flow.take_offer(
            offer_id=offer_id, officer_id=_require_officer(request).pk, at=request.at
        )
    except answer_offer.CannotTake as problem:
        return respond_refused(request, str(problem), back_to=reverse("queue"))
    page = reverse("lead", args=[offer.lead_id])
    return respond_redirect(request, "The lead is yours", to=page)


@staff_view("POST")
def decline_offer(request: StaffRequest, offer_id: UUID) -> HttpResponse:
    """Pass an offered lead on to the next person of the chain."""
    try:
        flow.decline_offer(
            offer_id=offer_id, officer_id=_require_officer(request).pk, at=request.at
        )
    except answer_offer.CannotTake as problem:
        return respond_refused(request, str(problem), back_to=reverse("queue"))
    return respond_done(request, "Passed on to the next in turn", back_to=reverse("queue"))


@staff_view("POST")
def set_availability(request: StaffRequest) -> HttpResponse:
    """The officer's own switch: taking leads or not."""
    officer, takes = _require_officer(request), request.POST.get("takes") == "yes"
    turn = switch.resume_officer if takes else switch.pause_officer
    turn(officer_id=officer.pk, by=request.user, at=request.at)
    said = "You are taking leads" if takes else "No new leads until you switch back"
    return respond_done(request, said, back_to=reverse("queue"))


def _require_officer(request: StaffRequest) -> LoanOfficer:
    officer = user_officer(request.user)
    if officer is None:
        raise PermissionDenied("Only the loan officer can do this.")
    return officer

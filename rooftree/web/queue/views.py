"""The loan officer's queue, lead offers and the Taking leads switch."""

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
from rooftree.leads.models import SOURCE_SECRETS, Lead
from rooftree.org import officer_availability as switch
from rooftree.org.models import LoanOfficer
from rooftree.outreach.calls import call_script
from rooftree.outreach.models import Message
from rooftree.routing import answer_offer, task_lists, work_queue
from rooftree.routing.models import Offer
from rooftree.routing.permissions import has_permission
from rooftree.routing.work_queue import Group, QueueRow, Tab
from rooftree.web.lead import lead_cards
from rooftree.web.lists.list_filters import TABS, ListFilter
from rooftree.web.lists.list_page import list_context
from rooftree.web.lists.listed_leads import find_queue_rows
from rooftree.web.queue import officer_month, task_views
from rooftree.web.shared import contact_status, navigation_counts
from rooftree.web.shared.cached_urls import url_for
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view, user_officer

LEADS_QUERY = PreparedQuery(
    lambda keys: (
        Lead.objects.select_related("person", "source", "officer__user")
        .defer("details", *(f"source__{name}" for name in SOURCE_SECRETS))
        .filter(pk__in=keys)
    ),
    keys=list[UUID],
)
LAST_SENT_QUERY = PreparedQuery(  # newest first
    lambda lead_id: Message.objects.filter(
        lead_id=lead_id, direction="out", sent_at__isnull=False
    ).order_by("-sent_at")[:1],
    lead_id=UUID,
)
PAGE_SIZE = 25  # rows; scrolling fetches more
EMPTY_TEXTS = {
    Tab.NOW: ("You’re all caught up", "New leads appear here automatically."),
    Tab.TODAY: ("Nothing else due today", "Leads due later are under Waiting on borrower."),
    Tab.WAITING: ("No one is waiting on a reply", "Leads you contacted or snoozed show up here."),
}
NO_MATCH_TEXT = ("No leads match these filters", "Clear a filter to see more of your leads.")
HEADINGS = {  # heading, note beside it, answer to "Why?"
    Group.PROMISE: (
        "Call now",
        "first call due",
        "A first call is due and no one has made it.",
    ),
    Group.REPLY: (
        "Needs reply",
        "oldest first",
        "The borrower wrote and no one has replied.",
    ),
    Group.TASK: (
        "Tasks due",
        "most overdue first",
        "You have a task due on this lead.",
    ),
    Group.NEXT: (
        "Next best calls",
        "OK to call now, highest score first",
        "It’s OK to call now. These leads are sorted by score.",
    ),
    Group.WAITING: (
        "Waiting on borrower",
        "recently contacted or snoozed",
        "You contacted this borrower recently, or snoozed the lead.",
    ),
}
LATER_HEADING = (
    "OK to call later",
    "outside calling hours now, highest score first",
    "It’s outside calling hours for this borrower. Leads you can call now come first.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAction:
    """One button of a row: a link, or a form to post."""

    label: str
    icon: str
    key: str
    href: str
    next_page: str = ""  # the page to open while the phone dials
    is_post: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """A queue row with its contact statuses and buttons."""

    row: QueueRow
    lead: Lead
    page: str
    contact_statuses: list[contact_status.ContactStatus]
    actions: list[RowAction]
    is_top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSection:
    """The queue lines under one heading."""

    label: str
    note: str
    why: str
    lines: list[QueueLine]


@staff_view("GET")
def show_queue(request: StaffRequest) -> HttpResponse:
    """Show one tab of the queue; htmx gets the rows, the switch and the current lead."""
    if not has_permission(request.user, "see_queue"):
        raise PermissionDenied("Only loan officers and their assistants have a queue.")
    filters = ListFilter("queue", request.user, request.GET)
    tab = Tab(filters.values.get("tab") or Tab.NOW)
    rows = find_queue_rows(filters, request.user, request.at)
    shown = _rows_to_show(request)
    lines = _build_lines(rows[:shown], request.at, top=tab is Tab.NOW and not filters.is_set)
    officer = user_officer(request.user)
    context = {
        "has_context": True,
        "tab": tab,
        "tabs_of_queue": TABS.items(),
        **list_context(request, filters, number=len(rows), on_page=shown),
        "shown_rows": shown,
        "more": min(shown + PAGE_SIZE, len(rows)) if len(rows) > shown else None,
        "sections": group_sections(lines),
        "nothing": NO_MATCH_TEXT if filters.is_set else EMPTY_TEXTS[tab],
        "officer": officer,
        "task_count": navigation_counts.count_for_user(task_lists.tasks_of_user, request.user),
        **_current_lead_context(lines),
        **task_views.due_today_context(request.user, request.at),
    }
    if request.htmx:
        return render(request, "queue/show.html#parts", context)
    context["month"] = officer_month.load_officer_month(officer, request.at) if officer else None
    return render(request, "queue/show.html", context)


def _rows_to_show(request: StaffRequest) -> int:
    """Return how many rows the page shows so far: `shown`, within one page and the maximum."""
    shown = request.GET.get("shown", "")
    if not (shown.isdigit() and shown.isascii()):
        return PAGE_SIZE
    return max(PAGE_SIZE, min(int(shown), work_queue.MAX_ROWS))


def group_sections(lines: Sequence[QueueLine]) -> list[QueueSection]:
    """Group neighboring lines that share a heading, keeping their order."""
    sections: list[QueueSection] = []
    for line in lines:
        is_later = line.row.group is Group.NEXT and line.row.opens_at is not None
        label, note, why = LATER_HEADING if is_later else HEADINGS[line.row.group]
        if not sections or sections[-1].label != label:
            sections.append(QueueSection(label=label, note=note, why=why, lines=[]))
        sections[-1].lines.append(line)
    return sections


def _build_lines(rows: Sequence[QueueRow], at: datetime, *, top: bool) -> list[QueueLine]:
    leads = {lead.pk: lead for lead in LEADS_QUERY.all(keys=[row.lead_id for row in rows])}
    statuses = contact_status.build_contact_statuses([leads[row.lead_id] for row in rows], at)
    return [
        _build_line(row, leads[row.lead_id], statuses[row.lead_id], is_top=top and place == 0)
        for place, row in enumerate(rows)
    ]


def _build_line(
    row: QueueRow, lead: Lead, statuses: list[contact_status.ContactStatus], *, is_top: bool
) -> QueueLine:
    page = url_for("lead", lead.pk)
    acts = _row_actions(row, lead, statuses, page)[: 2 if is_top else 1]
    return QueueLine(
        row=row, lead=lead, page=page, contact_statuses=statuses, actions=acts, is_top=is_top
    )


def _row_actions(
    row: QueueRow, lead: Lead, statuses: list[contact_status.ContactStatus], page: str
) -> list[RowAction]:
    """List the row's buttons, best first.

    An offer can only be accepted. A borrower who wrote is answered by text first; everyone
    else is called first. A lead that can't be contacted gets an Open button.
    """
    if row.offer_id:
        href = url_for("acceptance", row.offer_id)
        return [RowAction(label="Accept lead", icon="check", key="a", href=href, is_post=True)]
    write = url_for("messages", lead.pk)
    call = url_for("calls", lead.pk)
    is_allowed = {status.medium: status.can_press for status in statuses}
    actions = {
        "call": RowAction(
            label="Call", icon="phone", key="c", href=call, next_page=page, is_post=True
        ),
        "text": RowAction(label="Text", icon="text", key="t", href=f"{write}?medium=text"),
        "email": RowAction(label="Email", icon="mail", key="e", href=f"{write}?medium=email"),
    }
    order = ["call", "text", "email"]
    if row.group is Group.REPLY:
        order = ["text", "call", "email"]
    allowed = [actions[medium] for medium in order if is_allowed[medium]]
    return allowed or [RowAction(label="Open", icon="right", key="c", href=page)]


def _current_lead_context(lines: Sequence[QueueLine]) -> dict[str, Any]:
    lead = next((line.lead for line in lines if not line.row.offer_id), None)
    if lead is None:
        return {"in_hand": None}
    return {
        "in_hand": lead,
        "in_hand_phone": next((p for p in lead.person.phones.all() if not p.unlinked_at), None),
        "in_hand_zone": lead_cards.borrower_zone(lead),
        "in_hand_message": LAST_SENT_QUERY.first(lead_id=lead.pk),
    }


@staff_view("GET")
def show_offers(request: StaffRequest) -> HttpResponse:
    """Show the leads offered now and the script of a connected call, on top of any page."""
    officer = user_officer(request.user)
    rows = (
        Offer.objects.filter(
            officer=officer,
            accepted_at=None,
            declined_at=None,
            expired_at=None,
            due_at__gt=request.at,
        )
        .select_related("lead__source", "lead__person", "decision")
        .order_by("due_at", "id")[:3]
    )
    template = "queue/offers.html#cards" if request.htmx else "queue/offers.html"
    offers = [
        {"offer": offer, "reason": _address_officer(offer.decision.sentence, request.user.name)}
        for offer in (rows if officer else ())
    ]
    context = {"offers": offers, **_connected_call_context(request)}
    return render(request, template, context)


def _address_officer(sentence: str, name: str) -> str:
    """Return the sentence of a choice for its officer: “Dana was next” as “You were next”."""
    if not sentence.startswith(f"{name} "):
        return sentence
    rest = sentence.removeprefix(f"{name} ")
    for third_person, second_person in (("was ", "were "), ("speaks ", "speak ")):
        rest = rest.replace(third_person, second_person, 1)
    return f"You {rest}"


def _connected_call_context(request: StaffRequest) -> dict[str, Any]:
    """Return the context of a call that a ring connected.

    Empty on the lead's own page, which shows the script itself.
    """
    call = call_outcomes.find_open_officer_call(request.user, request.at)
    if call is None or request.htmx.current_url_abs_path == url_for("lead", call.lead_id):
        return {}
    return {
        "lead": call.lead,
        "opening": call_script.script_for_call(call.at, lead=call.lead, by=request.user),
    }


@staff_view("POST")
def accept_offer(request: StaffRequest, offer_id: UUID) -> HttpResponse:
    """Accept an offered lead; refuse with the reason if it has gone to someone else."""
    try:
        offer = flow.take_offer(
            offer_id=offer_id, officer_id=_require_officer(request).pk, at=request.at
        )
    except answer_offer.CannotTake as problem:
        return respond_refused(request, str(problem), back_to=reverse("queue"))
    page = reverse("lead", args=[offer.lead_id])
    return respond_redirect(request, "The lead is yours now", to=page)


@staff_view("POST")
def decline_offer(request: StaffRequest, offer_id: UUID) -> HttpResponse:
    """Decline an offered lead; after ten seconds of undo the next loan officer gets it."""
    try:
        flow.decline_offer(
            offer_id=offer_id, officer_id=_require_officer(request).pk, at=request.at, can_undo=True
        )
    except answer_offer.CannotTake as problem:
        return respond_refused(request, str(problem), back_to=reverse("queue"))
    return respond_done(
        request,
        "Lead declined. The next loan officer gets it in 10 seconds.",
        back_to=reverse("queue"),
        undo_url=reverse("refusal_undo", args=[offer_id]),
    )


@staff_view("POST")
def undo_refusal(request: StaffRequest, offer_id: UUID) -> HttpResponse:
    """Offer a lead again to the officer who declined it; refuse once it was passed on."""
    try:
        flow.undo_decline(offer_id=offer_id, officer_id=_require_officer(request).pk, at=request.at)
    except answer_offer.CannotTake as problem:
        return respond_refused(request, str(problem), back_to=reverse("queue"))
    return respond_done(
        request, "Undone. The lead is offered to you again.", back_to=reverse("queue")
    )


@staff_view("POST")
def set_availability(request: StaffRequest) -> HttpResponse:
    """Turn the officer's Taking leads switch on or off."""
    officer, takes = _require_officer(request), request.POST.get("takes") == "yes"
    set_switch = flow.resume_officer if takes else switch.pause_officer
    set_switch(officer_id=officer.pk, by=request.user, at=request.at)
    text = "You’re taking leads" if takes else "You won’t get new leads until you turn this back on"
    return respond_done(request, text, back_to=reverse("queue"))


def _require_officer(request: StaffRequest) -> LoanOfficer:
    officer = user_officer(request.user)
    if officer is None:
        raise PermissionDenied("Only a loan officer can do this.")
    return officer

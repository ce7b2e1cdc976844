"""The lead page: the borrower, the loan, what can be done now, and the activity so far."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.flow import call_outcomes
from rooftree.leads import contact_points, lead_tasks, unfinished_forms
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.calls import call_script
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Message
from rooftree.rates.record_rates import PRODUCTS
from rooftree.reporting.timeline import call_entries, lead_history
from rooftree.reporting.timeline.timeline_entry import EntryGroup
from rooftree.routing import response_deadline
from rooftree.routing.permissions import can_act_on, leads_visible_to
from rooftree.web.lead import composer as composers
from rooftree.web.lead import (
    handoff_card,
    lead_cards,
    next_steps,
    outcome_card,
    scenario_card,
    sequence_card,
)
from rooftree.web.shared import navigation
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_ENTRIES = 40  # timeline entries shown before "Show earlier"
FILTERS = [
    ("", "All"),
    (EntryGroup.MESSAGES.value, "Messages"),
    (EntryGroup.LOAN.value, "Loan"),
    (EntryGroup.DECISIONS.value, "Decisions"),
]
PAGE_PERMISSIONS = (
    "contact_lead",
    "change_lead",
    "watch_rate",
    "hand_off",
    "record_funding",
)  # permissions that parts of the page need
RESULTS_TO_ASK_ABOUT = ("call_back", "told_no")  # when to call back, and if it is meant
CALL_RESULTS = [
    (result, label)
    for result, label in call_outcomes.RESULTS.items()
    if result not in RESULTS_TO_ASK_ABOUT
]


def get_visible_lead(user: User, lead_id: UUID) -> Lead:
    """Return the lead with the rows its page needs; 404 if the user can't see it."""
    if user.is_desk_only and user.is_active:
        lead = _lead_query(*user.roles).first(user_id=user.pk, lead_id=lead_id)
    else:
        lead = _visible_leads(user, lead_id).first()
    if lead is None:
        raise Http404("No such lead.")
    contact_points.prefetch_contacts([lead.person], "phones", "emails")
    return lead


@cache
def _lead_query(*roles: str) -> PreparedQuery[Lead]:
    return PreparedQuery(
        lambda user_id, lead_id: _visible_leads(User(pk=user_id, roles=roles), lead_id),
        user_id=UUID, lead_id=UUID,
    )  # fmt: skip


def _visible_leads(user: User, lead_id: UUID) -> QuerySet[Lead]:
    rows = leads_visible_to(user).select_related("person", "source", "campaign", "officer__user")
    return rows.filter(pk=lead_id)


@staff_view("GET")
def show_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the lead page; htmx gets the parts that can change, as out-of-band swaps."""
    lead = get_visible_lead(request.user, lead_id)
    context = lead_context(request, lead)
    if request.htmx:
        return render(request, "lead/show.html#parts", context)
    if context["acts"]["contact_lead"]:
        context["composers"] = composers.build_composers(lead, user=request.user, at=request.at)
    return render(request, "lead/show.html", context)


def lead_context(request: StaffRequest, lead: Lead) -> dict[str, Any]:
    """Return the template context of the lead page."""
    at = request.at
    zone = lead_cards.borrower_zone(lead)
    group = EntryGroup(shown) if (shown := request.GET.get("show", "")) in set(EntryGroup) else None
    entries = lead_history.build_timeline(lead, group=group)
    shows_all = "all" in request.GET
    acts = {name: can_act_on(request.user, name, lead) for name in PAGE_PERMISSIONS}
    return {
        "has_context": True,
        "back_link": navigation.build_back_link(request, request.user),
        "lead": lead,
        "person": lead.person,
        "phone": next(iter(contact_points.usable_phones(lead.person)), None),
        "email": next(iter(contact_points.usable_emails(lead.person)), None),
        "contacts": lead_cards.build_contact_buttons(
            contact_permissions.permissions_of_lead(lead, at=at), zone, at
        ),
        "their_zone": zone,
        "promise_runs": response_deadline.is_first_call_owed(lead),
        "call_paused_until": lead_cards.paused_call_text(lead, zone, at),
        "is_recorded": call_entries.is_being_recorded(lead, at=at),
        "only_begun": unfinished_forms.has_only_unfinished_forms(lead),
        "acts": acts,
        "last_words": last_borrower_message(lead),
        "opening": _call_script(lead, request.user, at),
        "results": CALL_RESULTS,
        "logged": outcome_card.find_logged_outcome(lead, user=request.user, at=at),
        "filters": FILTERS,
        "shown": group or "",
        "entries": entries if shows_all else entries[:MAX_ENTRIES],
        "more": 0 if shows_all else max(0, len(entries) - MAX_ENTRIES),
        "reasons": lead_cards.build_score_reasons(lead),
        "tasks": (tasks := lead_tasks.list_open_tasks(lead)),
        "next_steps": (steps := next_steps.build_next_steps(tasks, request.user, at)),
        "callback_choices": steps.task_choices,
        "rates": lead_cards.build_rate_card(lead, at),
        "products": PRODUCTS.items(),
        **scenario_card.scenario_context(lead, can_edit=acts["change_lead"]),
        "handing": handoff_card.build_handoff_card(lead),
        "track": sequence_card.build_sequence_card(lead, may_act=acts["contact_lead"], at=at),
    }


def _call_script(lead: Lead, user: User, at: datetime) -> call_script.CallScript | None:
    """Return the script of the call this user has started; None without an open call."""
    if lead.first_attempt_at is None:  # no call yet, as for most leads; save the query
        return None
    call = call_outcomes.find_calls_without_outcome(lead.pk, at).filter(by=user).first()
    return call_script.script_for_call(call.at, lead=lead, by=user) if call else None


def last_borrower_message(lead: Lead) -> Message | None:
    """Return the newest message from the borrower, or None."""
    received = [message for message in lead.messages.all() if message.direction == "in"]
    return max(received, key=lambda message: (message.created_at, message.pk), default=None)

"""The lead page: who, what loan, what may be done now, and everything so far."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

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
from rooftree.routing import permissions as visibility
from rooftree.routing import response_deadline
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.lead import handoff_card, lead_cards
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

MAX_ENTRIES = 40  # entries of the timeline before "show all"
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
)  # what parts of the page ask for
CALL_RESULTS = [one for one in call_outcomes.RESULTS.items() if one[0] != "call_back"]


def get_visible_lead(user: User, lead_id: UUID) -> Lead:
    """The lead, with what its page says about it; 404 when this user may not see it."""
    rows = leads_visible_to(user).select_related("person", "source", "campaign", "officer__user")
    return get_object_or_404(rows.prefetch_related("person__phones", "person__emails"), pk=lead_id)


@staff_view("GET")
def show_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """The page, or for htmx the parts of it that can change, each to its place."""
    lead = get_visible_lead(request.user, lead_id)
    template = "lead/show.html#parts" if request.htmx else "lead/show.html"
    return render(request, template, lead_context(request, lead))


def lead_context(request: StaffRequest, lead: Lead) -> dict[str, Any]:
    """All that the page shows."""
    at = request.at
    zone = lead_cards.borrower_zone(lead)
    group = EntryGroup(shown) if (shown := request.GET.get("show", "")) in set(EntryGroup) else None
    entries = lead_history.build_timeline(lead, group=group)
    whole = "all" in request.GET
    return {
        "has_context": True,
        "lead": lead,
        "person": lead.person,
        "phone": next(iter(contact_points.usable_phones(lead.person)), None),
        "email": next(iter(contact_points.usable_emails(lead.person)), None),
        "contacts": lead_cards.build_contact_buttons(
            contact_permissions.permissions_of_lead(lead, at=at), zone, at
        ),
        "their_zone": zone,
        "promise_runs": response_deadline.is_first_call_owed(lead),
        "is_recorded": call_entries.is_being_recorded(lead, at=at),
        "only_begun": unfinished_forms.has_only_unfinished_forms(lead),
        "acts": {verb: visibility.has_permission(request.user, verb) for verb in PAGE_PERMISSIONS},
        "last_words": last_borrower_message(lead),
        "opening": _call_script(lead, request.user, at),
        "results": CALL_RESULTS,
        "filters": FILTERS,
        "shown": group or "",
        "entries": entries if whole else entries[:MAX_ENTRIES],
        "more": 0 if whole else max(0, len(entries) - MAX_ENTRIES),
        "reasons": lead_cards.build_score_reasons(lead),
        "tasks": (tasks := lead_tasks.open_tasks(lead)),
        "rates": lead_cards.build_rate_card(lead, at),
        "products": PRODUCTS.items(),
        "handing": handoff_card.build_handoff_card(lead, tasks),
    }


def _call_script(lead: Lead, user: User, at: datetime) -> call_script.CallScript | None:
    """What to say first on the call that this user has begun; None when there is none."""
    if lead.first_attempt_at is None:  # nobody has begun one; most leads are looked at before
        return None
    call = call_outcomes.calls_without_outcome(lead.pk, at).filter(by=user).first()
    return call_script.script_for_call(call.at, lead=lead, by=user) if call else None


def last_borrower_message(lead: Lead) -> Message | None:
    """The newest thing the borrower wrote to us."""
    theirs = [message for message in lead.messages.all() if message.direction == "in"]
    return max(theirs, key=lambda one: (one.created_at, one.pk), default=None)

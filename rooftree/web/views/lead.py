"""The lead page: who, what loan, what may be done now, and everything so far."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.flow import attempts
from rooftree.leads import reach, to_do, unfinished
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach import may, opening
from rooftree.outreach.models import Message
from rooftree.rates.observe import PRODUCTS
from rooftree.reporting import call_entries, history
from rooftree.reporting.timeline import Group
from rooftree.routing import promise
from rooftree.routing import visible as visibility
from rooftree.routing.visible import leads_visible_to
from rooftree.web import cards, handing
from rooftree.web.page import staff

SHOWN = 40  # entries of the timeline before "show all"
FILTERS = [
    ("", "All"),
    (Group.MESSAGES.value, "Messages"),
    (Group.LOAN.value, "Loan"),
    (Group.DECISIONS.value, "Decisions"),
]
ACTS = ("contact_lead", "change_lead", "watch_rate", "hand_off")  # what parts of the page ask for
RESULTS = [one for one in attempts.RESULTS.items() if one[0] != "call_back"]


def visible(user: User, lead_id: UUID) -> Lead:
    """The lead, with what its page says about it; 404 when this user may not see it."""
    rows = leads_visible_to(user).select_related("person", "source", "campaign", "officer__user")
    return get_object_or_404(rows.prefetch_related("person__phones", "person__emails"), pk=lead_id)


@staff("GET")
def show(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """The page, or for htmx the parts of it that can change, each to its place."""
    lead = visible(request.user, lead_id)
    template = "lead/show.html#parts" if request.htmx else "lead/show.html"
    return render(request, template, about(request, lead))


def about(request: HttpRequest, lead: Lead) -> dict[str, Any]:
    """All that the page shows."""
    at = request.at
    zone = cards.zone_of(lead)
    group = Group(shown) if (shown := request.GET.get("show", "")) in set(Group) else None
    entries = history.of_lead(lead, group=group)
    whole = "all" in request.GET
    return {
        "has_context": True,
        "lead": lead,
        "person": lead.person,
        "phone": next(iter(reach.numbers(lead.person)), None),
        "email": next(iter(reach.addresses(lead.person)), None),
        "contacts": cards.contacts(may.badges(lead, at=at), zone, at),
        "their_zone": zone,
        "promise_runs": promise.runs(lead),
        "is_recorded": call_entries.is_recorded(lead, at=at),
        "only_begun": unfinished.only_begun(lead),
        "acts": {verb: visibility.may(request.user, verb) for verb in ACTS},
        "last_words": last_words(lead),
        "opening": _opening(lead, request.user, at),
        "results": RESULTS,
        "filters": FILTERS,
        "shown": group or "",
        "entries": entries if whole else entries[:SHOWN],
        "more": 0 if whole else max(0, len(entries) - SHOWN),
        "reasons": cards.reasons(lead),
        "tasks": (tasks := to_do.open_of(lead)),
        "rates": cards.rates(lead, at),
        "products": PRODUCTS.items(),
        "handing": handing.card(lead, tasks),
    }


def _opening(lead: Lead, user: User, at: datetime) -> opening.Opening | None:
    """What to say first on the call that this user has begun; None when there is none."""
    if lead.first_attempt_at is None:  # nobody has begun one; most leads are looked at before
        return None
    call = attempts.open_calls(lead.pk, at).filter(by=user).first()
    return opening.before(call.at, lead=lead, by=user) if call else None


def last_words(lead: Lead) -> Message | None:
    """The newest thing the borrower wrote to us."""
    theirs = [one for one in lead.messages.all() if one.direction == "in"]
    return max(theirs, key=lambda one: (one.created_at, one.pk), default=None)

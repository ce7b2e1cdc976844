"""The inbox: what borrowers wrote, unread first, and one conversation with its answer."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.outreach import inbox, may
from rooftree.routing.visible import leads_visible_to
from rooftree.routing.visible import may as allowed
from rooftree.web import cards
from rooftree.web.page import staff
from rooftree.web.views.lead import visible


@staff("GET")
def index(request: HttpRequest) -> HttpResponse:
    """Every conversation this user may see; for htmx the list alone."""
    context = {"threads": inbox.threads(leads_visible_to(request.user), at=request.at)}
    template = "conversations/index.html#threads" if request.htmx else "conversations/index.html"
    return render(request, template, context)


@staff("GET")
def show(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """One conversation. Opening it marks it read, by those who may answer."""
    lead = visible(request.user, lead_id)
    can_answer = allowed(request.user, "contact_lead")
    if can_answer:
        inbox.mark_read(lead_id=lead.pk, by=request.user.pk, at=request.at)
    zone = cards.zone_of(lead)
    messages = inbox.of_lead(lead)
    theirs = [one for one in messages if one.direction == "in"]
    context = {
        "lead": lead,
        "person": lead.person,
        "messages_of_lead": messages,
        "medium": theirs[-1].medium if theirs else "text",
        "contacts": [
            one
            for one in cards.contacts(may.badges(lead.pk, at=request.at), zone, request.at)
            if one.medium != "call"
        ],
        "can_answer": can_answer,
    }
    template = "conversations/show.html#thread" if request.htmx else "conversations/show.html"
    return render(request, template, context)

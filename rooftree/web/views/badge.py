"""Why a borrower may or may not be called, texted or mailed now, rule by rule."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from rooftree.outreach import may
from rooftree.web import cards, look_up
from rooftree.web.page import staff
from rooftree.web.views.lead import visible


@staff("GET")
def show(request: HttpRequest, lead_id: UUID, medium: str) -> HttpResponse:
    """Ask the gate as the button would; nothing is kept. For htmx the answer alone."""
    if medium not in may.WORDS:
        raise Http404
    lead = visible(request.user, lead_id)
    badge = may.badges(lead, at=request.at)[medium]
    context = {
        "lead": lead,
        "person": lead.person,
        "contact": cards.contact(badge, cards.zone_of(lead), request.at),
        "rules": look_up.rules([one.as_json() for one in badge.rulings]),
    }
    template = "lead/may.html#answer" if request.htmx else "lead/may.html"
    return render(request, template, context)

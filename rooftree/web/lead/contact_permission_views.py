"""Why a borrower can or can't be called, texted or emailed now, rule by rule."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render

from rooftree.outreach.messages import contact_permissions
from rooftree.web.compliance import contact_lookup
from rooftree.web.lead import lead_cards
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def show_contact_permission(request: StaffRequest, lead_id: UUID, medium: str) -> HttpResponse:
    """Show what the gate says about a manual contact now; htmx gets the answer only.

    Nothing is stored.
    """
    if medium not in contact_permissions.MEDIUM_NAMES:
        raise Http404
    lead = get_visible_lead(request.user, lead_id)
    permission = contact_permissions.permissions_of_lead(lead, at=request.at)[medium]
    context = {
        "lead": lead,
        "person": lead.person,
        "contact": lead_cards.build_contact_button(
            permission, lead_cards.borrower_zone(lead), request.at
        ),
        "rules": contact_lookup.rule_lines([ruling.as_json() for ruling in permission.rulings]),
    }
    template = (
        "lead/contact_permission.html#answer" if request.htmx else "lead/contact_permission.html"
    )
    return render(request, template, context)

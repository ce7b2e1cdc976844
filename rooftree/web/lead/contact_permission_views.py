"""Why a borrower can or can't be called, texted or emailed now, rule by rule."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.outreach.messages import contact_permissions, limit_overrides
from rooftree.outreach.messages.contact_permissions import MEDIUM_NAMES
from rooftree.routing.permissions import can_act_on
from rooftree.web.compliance import contact_lookup
from rooftree.web.lead import lead_cards
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared import resolving_pages
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class LimitOverrideForm(StaffForm):
    """The reason for lifting a house limit for one contact."""

    reason = text_field(
        "Reason", "Kept with the decision", max_length=limit_overrides.MAX_REASON_LENGTH
    )


@staff_view("GET")
def show_contact_permission(request: StaffRequest, lead_id: UUID, medium: str) -> HttpResponse:
    """Show what the gate says about a manual contact now; htmx gets the answer only.

    Nothing is stored.
    """
    lead = _get_lead(request, lead_id, medium)
    template = (
        "lead/contact_permission.html#answer" if request.htmx else "lead/contact_permission.html"
    )
    return render(request, template, _permission_context(request, lead, medium))


@staff_view("POST")
def override_limits(request: StaffRequest, lead_id: UUID, medium: str) -> HttpResponse:
    """Lift the house limits for one contact by hand, with a reason."""
    lead = _get_lead(request, lead_id, medium)
    if not can_act_on(request.user, "override_limits", lead):
        raise PermissionDenied("Only users whom the administrator allows can override limits.")
    form = LimitOverrideForm(request.POST, auto_id=f"{medium}-%s")

    def override(typed: dict[str, Any]) -> None:
        limit_overrides.override_limits(
            lead=lead, medium=medium, reason=typed["reason"], by=request.user, at=request.at
        )

    if form.submit(override):
        text = f"House limit overridden for one {MEDIUM_NAMES[medium].lower()} within the hour"
        return respond_done(request, text, back_to=reverse("lead", args=[lead.pk]))
    context = _permission_context(request, lead, medium, form=form)
    return render(request, "lead/contact_permission.html", context, status=422)


def _get_lead(request: StaffRequest, lead_id: UUID, medium: str) -> Lead:
    if medium not in MEDIUM_NAMES:
        raise Http404
    return get_visible_lead(request.user, lead_id)


def _permission_context(
    request: StaffRequest, lead: Lead, medium: str, *, form: LimitOverrideForm | None = None
) -> dict[str, Any]:
    permission = contact_permissions.permissions_of_lead(lead, at=request.at)[medium]
    can_override = can_act_on(request.user, "override_limits", lead) and permission.house_limits
    return {
        "lead": lead,
        "person": lead.person,
        "contact": lead_cards.build_contact_button(
            permission, lead_cards.borrower_zone(lead), request.at
        ),
        "medium": medium,
        "medium_name": MEDIUM_NAMES[medium].lower(),
        "way_forward": resolving_pages.find_way_forward(permission.reason, lead.pk, request.user),
        "rules": contact_lookup.rule_lines([ruling.as_json() for ruling in permission.rulings]),
        "form": form or (LimitOverrideForm(auto_id=f"{medium}-%s") if can_override else None),
    }

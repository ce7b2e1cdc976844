"""The application items on file for a lead, their deadlines, and its basis for contact."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.intake import vendor_credit_data
from rooftree.compliance.credit import trigger_lead_basis
from rooftree.compliance.credit.application_detection import APPLICATION_ITEM_LABELS
from rooftree.compliance.credit.trigger_lead_basis import RELATIONSHIP_LABELS, BadBasis, BasisProof
from rooftree.compliance.models import CreditClock
from rooftree.flow.application_pieces import collect_pieces
from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.routing.permissions import has_permission
from rooftree.web.compliance.disclosure_deadline_views import deadline_line
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, checkbox_field, choice_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class LeadBasisForm(StaffForm):
    """The basis for contacting a borrower whose inquiry a credit bureau sold."""

    is_authorized = checkbox_field("The borrower’s authorization was certified to the bureau")
    relationship = choice_field(
        "Our current relationship", RELATIONSHIP_LABELS.items(), required=False
    )
    has_opted_out = checkbox_field("The borrower opted out of prescreened offers")
    reference = text_field("Proof on file", "For example, the certification or loan number")


@staff_view("GET")
def show_application(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the application page; htmx gets the card for the lead page."""
    lead = get_visible_lead(request.user, lead_id)
    template = "lead/application.html#card" if request.htmx else "lead/application.html"
    return render(request, template, _application_context(request, lead))


@staff_view("POST")
def record_basis(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Record the proof that this borrower can be contacted."""
    lead = get_permitted_lead(request, "record_basis", lead_id)
    form = LeadBasisForm(request.POST)
    if form.is_valid():
        try:
            proof = BasisProof(**form.cleaned_data)
            trigger_lead_basis.record_basis(lead, proof, by=request.user, at=request.at)
        except BadBasis as problem:
            form.show_refusal(problem.field, str(problem))
        else:
            back = reverse("application", args=[lead.pk])
            return respond_done(request, "Basis recorded", back_to=back)
    context = _application_context(request, lead, form=form)
    return render(request, "lead/application.html", context, status=422)


def _application_context(
    request: StaffRequest, lead: Lead, form: LeadBasisForm | None = None
) -> dict[str, Any]:
    items = collect_pieces(lead)
    deadlines = CreditClock.objects.filter(lead=lead).select_related("owner").order_by("opened_at")
    needs_basis = trigger_lead_basis.is_basis_required(lead)
    return {
        "lead": lead,
        "person": lead.person,
        "pieces": [(label, items.get(item)) for item, label in APPLICATION_ITEM_LABELS.items()],
        "item_count": len(items),
        "lines": [deadline_line(deadline, request.at) for deadline in deadlines],
        "loan": lead.loans.order_by("-created_at").first(),
        "can_open_deadlines": has_permission(request.user, "see_clocks"),
        "discarded_credit_data": Event.objects.filter(
            lead_id=lead.pk, kind=vendor_credit_data.CREDIT_DATA_REFUSED
        )
        .order_by("-occurred_at")
        .first(),
        "needs_basis": needs_basis,
        "bases": [
            (basis, RELATIONSHIP_LABELS[basis.relationship])
            for basis in lead.bases.select_related("by").order_by("-at", "-id")
        ],
        "form": (form or LeadBasisForm())
        if needs_basis and has_permission(request.user, "record_basis")
        else None,
    }

"""Hand a lead off to the LOS: see what will be sent, enter what is missing, send it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.compliance.credit.application_detection import APPLICATION_ITEM_LABELS
from rooftree.flow import lead_edits, los_handoff
from rooftree.flow.application_pieces import collect_pieces
from rooftree.leads.edit_scenario import ScenarioEdit
from rooftree.leads.models import Lead
from rooftree.los import connection_choice, handoff_settlement
from rooftree.los.models import Connection
from rooftree.web.lead import handoff_card
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.lead.scenario_forms import HandoffFactsForm
from rooftree.web.lead.scenario_views import respond_edited
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET", "POST")
def hand_off_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show what a handoff would send and what it lacks; a POST hands the lead off.

    If data is missing, the POST says so and adds an officer task.
    """
    lead = get_permitted_lead(request, "hand_off", lead_id)
    if request.method == "GET":
        return _render_handoff(request, lead)
    back_to = reverse("lead", args=[lead.pk])
    try:
        los_handoff.request_handoff(lead_id=lead.pk, by=request.user, at=request.at)
    except los_handoff.HandoffNotReady as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    words = "Handoff to the LOS started"
    if "from_page" in request.POST:
        return respond_redirect(request, words, to=back_to)
    return respond_done(request, words, back_to=back_to)


@staff_view("POST")
def settle_handoff(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Link the loan that a person found in the LOS, or send the lead again."""
    lead = get_permitted_lead(request, "hand_off", lead_id)
    is_repeat, back_to = request.POST.get("again") == "yes", reverse("lead", args=[lead.pk])
    try:
        if is_repeat:
            los_handoff.repeat_handoff(lead_id=lead.pk, by=request.user, at=request.at)
        else:
            number = request.POST.get("number", "")[:80]
            handoff_settlement.link_loan(
                lead_id=lead.pk, number=number, by=request.user, at=request.at
            )
    except handoff_settlement.HandoffSettled as problem:
        return respond_refused(request, str(problem), back_to=back_to, status=422)
    return respond_done(request, "Sending again" if is_repeat else "Loan linked", back_to=back_to)


@staff_view("POST")
def save_handoff_facts(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Save the facts typed on the handoff page and show it again."""
    lead = get_permitted_lead(request, "hand_off", lead_id)
    connection, _ = connection_choice.find_connection(lead)
    if connection is None:
        return respond_redirect(request, "", to=reverse("lead", args=[lead.pk]))
    form = _build_form(lead, connection, request.POST)

    def save(_: dict[str, Any]) -> ScenarioEdit:
        return lead_edits.edit_scenario(
            lead_id=lead.pk,
            changes=form.changes(),
            stated_by=form.cleaned_data["stated_by"],
            by=request.user,
            at=request.at,
        )

    if not form.submit(save):
        return _render_handoff(request, lead, form)
    return respond_edited(request, lead, form.result, to=reverse("handoff", args=[lead.pk]))


def _build_form(lead: Lead, connection: Connection, typed: Any) -> HandoffFactsForm:
    preview = handoff_card.build_handoff_preview(lead, connection)
    return HandoffFactsForm(
        typed,
        required=preview.required_keys,
        optional=preview.optional_keys,
        purpose=lead.purpose,
    )


def _render_handoff(
    request: StaffRequest, lead: Lead, form: HandoffFactsForm | None = None
) -> HttpResponse:
    connection, _ = connection_choice.find_connection(lead)
    pieces = collect_pieces(lead)
    context: dict[str, Any] = {
        "lead": lead,
        "person": lead.person,
        "connection": connection,
        "handing": handoff_card.build_handoff_card(lead),
        "missing_pieces": [
            label for item, label in APPLICATION_ITEM_LABELS.items() if item not in pieces
        ],
        "piece_count": len(pieces),
    }
    if connection:
        context["preview"] = handoff_card.build_handoff_preview(lead, connection)
        context["form"] = form or _build_form(lead, connection, None)
    return render(request, "lead/hand_off.html", context, status=422 if form else 200)

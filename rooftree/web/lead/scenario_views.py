"""Edit a lead's data in place: its loan scenario, contact data, co-borrower; reopen it."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.user_errors import UserError
from rooftree.flow import lead_edits
from rooftree.leads.edit_scenario import ScenarioEdit, current_values
from rooftree.leads.models import Lead, Person
from rooftree.leads.scenario_fields import FIELDS, ScenarioField
from rooftree.routing.permissions import can_act_on, leads_visible_to
from rooftree.web.lead import scenario_card
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.lead.scenario_forms import (
    CoBorrowerForm,
    ContactForm,
    ScenarioFieldForm,
    initial_value,
)
from rooftree.web.lead.views import get_visible_lead
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

EDITED_EVENTS = "reread, scenario"  # what the lead page reloads after an edit


@staff_view("GET")
def show_scenario(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the loan scenario card alone."""
    lead = get_visible_lead(request.user, lead_id)
    can_edit = can_act_on(request.user, "change_lead", lead)
    context = {"lead": lead, **scenario_card.scenario_context(lead, can_edit=can_edit)}
    return render(request, "lead/scenario.html#card", context)


@staff_view("GET", "POST")
def edit_field(request: StaffRequest, lead_id: UUID, field: str) -> HttpResponse:
    """Show the form of one field of the loan scenario; a POST saves it."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    scenario_field = _get_field(field)
    form = ScenarioFieldForm(
        request.POST if request.method == "POST" else None,
        field=scenario_field,
        purpose=lead.purpose,
        initial={"value": initial_value(scenario_field, current_values(lead)[field])},
    )

    def save(_: dict[str, Any]) -> ScenarioEdit:
        return lead_edits.edit_scenario(
            lead_id=lead.pk,
            changes=form.changes(),
            stated_by=form.cleaned_data["stated_by"],
            by=request.user,
            at=request.at,
        )

    if request.method == "POST" and form.submit(save):
        return respond_edited(request, lead, form.result)
    context = {
        "lead": lead,
        "person": lead.person,
        "cell": scenario_card.build_cell(lead, field),
        "form": form,
    }
    template = "lead/scenario_field.html#cell" if request.htmx else "lead/scenario_field.html"
    return render(request, template, context, status=422 if form.errors else 200)


@staff_view("GET")
def show_field(request: StaffRequest, lead_id: UUID, field: str) -> HttpResponse:
    """Show one field of the loan scenario without its form, after "Cancel"."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    _get_field(field)
    context = {"lead": lead, "cell": scenario_card.build_cell(lead, field), "can_edit": True}
    return render(request, "lead/scenario.html#cell", context)


@staff_view("GET", "POST")
def edit_contact(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the form for the borrower's name, phone and email; a POST saves what changed."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    person = lead.person
    initial = {"first_name": person.first_name, "last_name": person.last_name}
    form = ContactForm(request.POST or None, initial=initial | {"language": person.language})

    def save(typed: dict[str, Any]) -> Person:
        return lead_edits.add_contacts(
            lead_id=lead.pk, stated=form.stated_contacts(typed), by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        words = f"Saved. {form.result.name or 'The borrower'}’s newest number and email are in use."
        return respond_redirect(request, words, to=reverse("lead", args=[lead.pk]))
    context = {"lead": lead, "person": person, "form": form, "title": "Edit contact"}
    return render(
        request, "lead/edit_form.html", context, status=422 if request.method == "POST" else 200
    )


@staff_view("GET", "POST")
def edit_co_borrower(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show the form for a co-borrower; a POST adds them or their new contact data."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    known = lead.co_borrower
    initial = {"first_name": known.first_name, "last_name": known.last_name} if known else {}
    form = CoBorrowerForm(request.POST or None, initial=initial)

    def save(typed: dict[str, Any]) -> Person:
        return lead_edits.set_co_borrower(
            lead_id=lead.pk, stated=form.stated_co_borrower(typed), by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        words = (
            f"{form.result.name} is the co-borrower. Their own consent is needed to contact them."
        )
        return respond_redirect(request, words, to=reverse("lead", args=[lead.pk]))
    context = {"lead": lead, "person": lead.person, "form": form, "title": "Co-borrower"}
    return render(
        request, "lead/edit_form.html", context, status=422 if request.method == "POST" else 200
    )


@staff_view("POST")
def reopen_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Reopen a closed lead."""
    lead = get_permitted_lead(request, "change_lead", lead_id)
    back_to = reverse("lead", args=[lead.pk])
    try:
        lead_edits.reopen_lead(lead_id=lead.pk, by=request.user, at=request.at)
    except UserError as problem:
        return respond_refused(request, str(problem), back_to=back_to)
    return respond_done(request, "Lead reopened", back_to=back_to)


def _get_field(key: str) -> ScenarioField:
    if key not in FIELDS:
        raise Http404("Unknown field.")
    return FIELDS[key]


def respond_edited(
    request: StaffRequest, lead: Lead, edit: ScenarioEdit, to: str = ""
) -> HttpResponse:
    """Confirm an edit; a lead that the user can no longer see has gone to another officer.

    Args:
        to: the page that a plain edit leads to; "": the lead page follows it in place.
    """
    if edit.lost_officer:
        words = (
            f"Saved. {lead.person.first_name or 'The borrower'} is going to a loan officer "
            "who is licensed in that state."
        )
        is_visible = leads_visible_to(request.user).filter(pk=lead.pk).exists()
        to = reverse("lead", args=[lead.pk]) if is_visible else reverse("land")
        return respond_redirect(request, words, to=to)
    words = "Saved" if edit.edits else "Nothing changed"
    if to:
        return respond_redirect(request, words, to=to)
    return respond_done(
        request, words, back_to=reverse("lead", args=[lead.pk]), events=EDITED_EVENTS
    )

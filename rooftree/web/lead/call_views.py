"""Calling a borrower: check the compliance gate, then dial."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import call_events, call_outcomes
from rooftree.outreach.calls import call_script
from rooftree.routing.permissions import can_act_on
from rooftree.web.lead import due_choices
from rooftree.web.lead.views import CALL_RESULTS, get_visible_lead
from rooftree.web.shared.htmx_responses import respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET", "POST")
def call_borrower(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Start a call: htmx dials the number, a plain form goes to a page that shows it.

    That page shows the call until it has an outcome, and then redirects to the lead.
    """
    lead = get_visible_lead(request.user, lead_id)
    if not can_act_on(request.user, "contact_lead", lead):
        raise PermissionDenied(
            "You can view this lead, but only its loan officer can call the borrower."
        )
    page = reverse("lead", args=[lead.pk])
    if request.method == "POST":
        return _start_call(request, lead_id, page)
    call = (
        call_outcomes.find_calls_without_outcome(lead.pk, request.at)
        .filter(by=request.user)
        .first()
    )
    if call is None:
        return HttpResponseRedirect(page)
    context = {
        "lead": lead,
        "person": lead.person,
        "call": call,
        "opening": call_script.script_for_call(call.at, lead=lead, by=request.user),
        "results": CALL_RESULTS,
        "callback_choices": due_choices.due_choices(
            due_choices.TASK_CHOICES, request.user, request.at
        ),
    }
    return render(request, "lead/call.html", context)


def _start_call(request: StaffRequest, lead_id: UUID, page: str) -> HttpResponse:
    try:
        started = call_events.start_call(lead_id=lead_id, by=request.user, at=request.at)
    except call_events.CannotCall as problem:
        return respond_refused(request, str(problem), back_to=page)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": f"tel:{started.number}"})
    return HttpResponseRedirect(reverse("calls", args=[lead_id]), status=303)

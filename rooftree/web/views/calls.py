"""Calling a borrower from the page: the gate is asked, then the phone dials."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import attempts, calls
from rooftree.outreach import opening
from rooftree.routing.visible import may
from rooftree.web.answers import refused
from rooftree.web.page import staff
from rooftree.web.views.lead import RESULTS, visible


@staff("GET", "POST")
def show(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Begin a call; htmx is sent to the number, a plain form to a page that shows it.

    The page stands until the call has an outcome; then it leads to the lead.
    """
    lead = visible(request.user, lead_id)
    if not may(request.user, "contact_lead"):
        raise PermissionDenied("You may look at this lead; its officer works it.")
    page = reverse("lead", args=[lead.pk])
    if request.method == "POST":
        return _begin(request, lead_id, page)
    call = attempts.open_calls(lead.pk, request.at).filter(by=request.user).first()
    if call is None:
        return HttpResponseRedirect(page)
    context = {
        "lead": lead,
        "person": lead.person,
        "call": call,
        "opening": opening.before(call.at, lead=lead, by=request.user),
        "results": RESULTS,
    }
    return render(request, "calls/show.html", context)


def _begin(request: HttpRequest, lead_id: UUID, page: str) -> HttpResponse:
    try:
        dialled = calls.start(lead_id=lead_id, by=request.user, at=request.at)
    except calls.CannotCall as problem:
        return refused(request, str(problem), back_to=page)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": f"tel:{dialled.number}"})
    return HttpResponseRedirect(reverse("calls", args=[lead_id]), status=303)

"""The manager's team board, approving a call's hour, and reassigning a lead."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import lead_offers
from rooftree.routing import call_hours, lead_ownership, possible_owners, team_board
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def show_team(request: StaffRequest) -> HttpResponse:
    """Show alarms, waiting leads and who is taking leads; htmx gets the board only."""
    if not has_permission(request.user, "see_team"):
        raise PermissionDenied("Only branch managers and above can see the team board.")
    context = {
        "wall": team_board.load_team_board(request.user, at=request.at),
        "where": request.user.branch.name if request.user.branch else "All branches",
        "can_give": has_permission(request.user, "reassign"),
        "call_hours": call_hours.list_hours_to_approve(request.user),
    }
    return render(request, "team/show.html#wall" if request.htmx else "team/show.html", context)


@staff_view("POST")
def approve_call_hour(request: StaffRequest, task_id: UUID) -> HttpResponse:
    """Approve the hour of a call that the borrower asked for, where the state has no rule."""
    if not has_permission(request.user, "approve_call_hour"):
        raise PermissionDenied("Only a branch manager or compliance can approve a call’s time.")
    task = get_object_or_404(call_hours.hours_to_approve(request.user), pk=task_id)
    call_hours.approve_hour(task, by=request.user, at=request.at)
    name = task.lead.person.first_name or "the borrower"
    return respond_done(request, f"Call to {name} approved", back_to=reverse("team"))


@staff_view("GET")
def choose_owner(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Offer the officers whom the law lets have a lead; say of the others why not."""
    if not has_permission(request.user, "reassign"):
        raise PermissionDenied("Only a branch manager or operations can reassign a lead.")
    leads = leads_visible_to(request.user, "reassign").select_related(
        "person", "source", "officer__user"
    )
    lead = get_object_or_404(leads, pk=lead_id)
    owners = possible_owners.list_possible_owners(lead, request.user, at=request.at)
    context = {
        "lead": lead,
        "owners": [owner for owner in owners if not owner.problem],
        "refused": [owner for owner in owners if owner.problem],
    }
    return render(request, "team/reassign.html", context)


@staff_view("POST")
def reassign_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Reassign a lead to a loan officer now, if licensing and the other ownership rules allow."""
    if not has_permission(request.user, "reassign"):
        raise PermissionDenied("Only a branch manager or operations can reassign a lead.")
    lead = get_object_or_404(leads_visible_to(request.user, "reassign"), pk=lead_id)
    officers = officers_visible_to(request.user, "reassign").select_related("user")
    officer = get_object_or_404(officers, pk=request.POST.get("officer") or None)
    try:
        lead_offers.reassign_lead(
            lead_id=lead.pk, officer_id=officer.pk, by=request.user, at=request.at
        )
    except lead_ownership.CannotOwn as problem:
        return respond_refused(
            request, str(problem), back_to=reverse("reassignment", args=[lead.pk])
        )
    return respond_redirect(request, f"Reassigned to {officer.user.name}", to=reverse("team"))

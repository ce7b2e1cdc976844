"""The manager's team board, and reassigning a lead from it."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import lead_offers
from rooftree.routing import lead_ownership, team_board
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_visible_to
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def show_team(request: StaffRequest) -> HttpResponse:
    """Show waiting leads and who is taking leads; htmx gets the board only."""
    if not has_permission(request.user, "see_team"):
        raise PermissionDenied("Only branch managers and above can see the team board.")
    context = {
        "wall": team_board.load_team_board(request.user, at=request.at),
        "where": request.user.branch.name if request.user.branch else "All branches",
        "can_give": has_permission(request.user, "reassign"),
    }
    return render(request, "team/show.html#wall" if request.htmx else "team/show.html", context)


@staff_view("POST")
def reassign_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Reassign a lead to a loan officer now, if licensing and the other ownership rules allow."""
    if not has_permission(request.user, "reassign"):
        raise PermissionDenied("Only a branch manager or operations can reassign a lead.")
    lead = get_object_or_404(leads_visible_to(request.user), pk=lead_id)
    officers = officers_visible_to(request.user).select_related("user")
    officer = get_object_or_404(officers, pk=request.POST.get("officer") or None)
    try:
        lead_offers.reassign_lead(
            lead_id=lead.pk, officer_id=officer.pk, by=request.user, at=request.at
        )
    except lead_ownership.CannotOwn as problem:
        return respond_refused(request, str(problem), back_to=reverse("team"))
    return respond_done(request, f"Reassigned to {officer.user.name}", back_to=reverse("team"))

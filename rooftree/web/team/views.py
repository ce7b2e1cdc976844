"""The manager's wall: who waits, with whom, who is taking leads; and giving a lead away."""

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
    """The wall; for htmx what changes on it."""
    if not has_permission(request.user, "see_team"):
        raise PermissionDenied("The wall belongs to branch managers and those above.")
    wall = team_board.load_team_board(request.user, at=request.at)
    context = {
        "wall": wall,
        "where": request.user.branch.name if request.user.branch else "All branches",
        "can_give": has_permission(request.user, "reassign"),
        "taking": [person for person in wall.people if person.availability == "available"],
    }
    return render(request, "team/show.html#wall" if request.htmx else "team/show.html", context)


@staff_view("POST")
def reassign_lead(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Give a lead to an officer, at once; the law is asked before it is theirs."""
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
    return respond_done(request, f"Given to {officer.user.name}", back_to=reverse("team"))

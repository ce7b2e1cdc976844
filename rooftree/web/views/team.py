"""The manager's wall: who waits, with whom, who is taking leads; and giving a lead away."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import offers
from rooftree.routing import own, team
from rooftree.routing.visible import leads_visible_to, may, officers_visible_to
from rooftree.web.answers import done, refused
from rooftree.web.page import staff


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The wall; for htmx what changes on it."""
    if not may(request.user, "see_team"):
        raise PermissionDenied("The wall belongs to branch managers and those above.")
    wall = team.wall(request.user, at=request.at)
    context = {
        "wall": wall,
        "where": request.user.branch.name if request.user.branch else "All branches",
        "can_give": may(request.user, "reassign"),
        "taking": [one for one in wall.people if one.availability == "available"],
    }
    return render(request, "team/show.html#wall" if request.htmx else "team/show.html", context)


@staff("POST")
def ownership(request: HttpRequest, lead_id: UUID) -> HttpResponse:
    """Give a lead to an officer, at once; the law is asked before it is theirs."""
    if not may(request.user, "reassign"):
        raise PermissionDenied("Only a branch manager or operations can reassign a lead.")
    lead = get_object_or_404(leads_visible_to(request.user), pk=lead_id)
    officers = officers_visible_to(request.user).select_related("user")
    officer = get_object_or_404(officers, pk=request.POST.get("officer") or None)
    try:
        offers.give(lead_id=lead.pk, officer_id=officer.pk, by=request.user, at=request.at)
    except own.CannotOwn as problem:
        return refused(request, str(problem), back_to=reverse("team"))
    return done(request, f"Given to {officer.user.name}", back_to=reverse("team"))

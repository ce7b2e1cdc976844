"""The records behind the team's figures: late promises, today's promises and first calls."""

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.routing import promise_figures, promise_watch, team_board
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_visible_to
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

PAGE_SIZE = 50
VIEWS = {"late": "Late now", "today": "Due today"}


@staff_view("GET")
def list_promises(request: StaffRequest) -> HttpResponse:
    """List late promises, or with `show=today` those behind the figure; `officer` filters."""
    require_permission(request.user, "see_team")
    show = request.GET.get("show") if request.GET.get("show") in VIEWS else "late"
    if show == "today":
        rows = promise_figures.promises_today(request.user, request.at).order_by("due_at", "id")
        kept = promise_figures.count_kept(rows.order_by(), at=request.at)
    else:
        rows, kept = promise_watch.late_promises(leads_visible_to(request.user)), None
    officers = officers_visible_to(request.user).filter(terminated_at=None).select_related("user")
    officer = next((o for o in officers if str(o.pk) == request.GET.get("officer")), None)
    if officer:
        rows = rows.filter(officer=officer)
        kept = promise_figures.count_kept(rows.order_by(), at=request.at) if kept else None
    rows = rows.select_related("lead__person", "officer__user", "backup__user")
    context = {
        "show": show,
        "views_of_promises": VIEWS.items(),
        "page": get_page(request, rows, size=PAGE_SIZE),
        "kept": kept,
        "officer": officer,
        "can_give": has_permission(request.user, "reassign"),
        "at": request.at,
    }
    return render(request, "team/promises.html", context)


@staff_view("GET")
def list_first_calls(request: StaffRequest) -> HttpResponse:
    """List the leads behind today's speed to lead, the slowest first."""
    require_permission(request.user, "see_team")
    rows = [
        ((lead.first_attempt_at - lead.created_at).total_seconds(), lead)
        for lead in team_board.first_attempts_today(request.user, request.at).select_related(
            "person", "source", "officer__user"
        )
        if lead.first_attempt_at
    ]
    rows.sort(key=lambda row: row[0], reverse=True)
    page = get_page(request, rows, size=PAGE_SIZE)
    return render(request, "team/first_calls.html", {"page": page})

"""One loan officer's day, queue and leads, for their managers and for the officer."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.org.models import LoanOfficer
from rooftree.routing import officer_day, team_board, time_off, work_queue
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_visible_to
from rooftree.routing.work_queue import Group, Tab
from rooftree.web.lists.list_page import get_page
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view
from rooftree.web.team.time_off_forms import PauseForm, TimeOffForm

PAGE_SIZE = 50
TABS = {Tab.NOW: "Now", Tab.TODAY: "Today", Tab.WAITING: "Waiting on borrower"}
GROUP_NAMES = {
    Group.PROMISE: "Call now",
    Group.REPLY: "Needs reply",
    Group.TASK: "Task due",
    Group.NEXT: "Next best call",
    Group.WAITING: "Waiting on borrower",
}


def get_officer(request: StaffRequest, officer_id: UUID) -> LoanOfficer:
    """Return an officer whose page the user can open; raise 403 or 404 for others."""
    user = request.user
    if not has_permission(user, "see_officer_day"):
        raise PermissionDenied("Only branch managers and above can see an officer’s day.")
    officers = officers_visible_to(user, "see_officer_day")
    rows = officers.select_related("user__branch", "backup__user", "branch")
    return get_object_or_404(rows, pk=officer_id)


@staff_view("GET")
def show_officer(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """Show an officer's day: what is due, what was done, availability and time off."""
    return render_officer(request, get_officer(request, officer_id))


def render_officer(
    request: StaffRequest, officer: LoanOfficer, *, status: int = 200, **forms: Any
) -> HttpResponse:
    """Render the officer's page; `forms` replaces a form that has errors."""
    days_off = time_off.find_days_off([officer], at=request.at)[officer.pk]
    code, text = team_board.describe_availability(officer, days_off, request.at)
    context = {
        "officer": officer,
        "person": officer.user,
        "day": officer_day.load_officer_day(officer, at=request.at),
        "availability": code,
        "availability_text": text,
        "days_off": days_off,
        "can_set": has_permission(request.user, "set_availability", officer),
        "can_edit": has_permission(request.user, "edit_people"),
        "sees_team": has_permission(request.user, "see_team"),
        "pause_form": PauseForm(auto_id="pause_%s"),
        "time_off_form": TimeOffForm(auto_id="off_%s"),
        "at": request.at,
        **forms,
    }
    return render(request, "team/officer.html", context, status=status)


@staff_view("GET")
def show_queue(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """Show an officer's queue as they see it; each row opens the lead."""
    officer = get_officer(request, officer_id)
    tab_name = request.GET.get("tab", "")
    tab = Tab(tab_name) if tab_name in set(Tab) else Tab.NOW
    rows = work_queue.list_rows(officer.user, at=request.at, tab=tab)
    context = {
        "officer": officer,
        "person": officer.user,
        "tab": tab,
        "tabs_of_queue": TABS.items(),
        "page": get_page(request, rows, size=PAGE_SIZE),
        "group_names": GROUP_NAMES,
        "can_give": has_permission(request.user, "reassign"),
    }
    return render(request, "team/queue.html", context)


@staff_view("GET")
def list_leads(request: StaffRequest, officer_id: UUID) -> HttpResponse:
    """List the leads an officer owns, newest first; `state` filters."""
    officer = get_officer(request, officer_id)
    rows = officer_day.owned_leads(officer).filter(
        pk__in=leads_visible_to(request.user).values("pk")
    )
    state = request.GET.get("state", "")
    if state in officer_day.STATE_NAMES:
        rows = rows.filter(state=state)
    rows = rows.select_related("person", "source").order_by("-created_at", "-id")
    context = {
        "officer": officer,
        "person": officer.user,
        "state": state if state in officer_day.STATE_NAMES else "",
        "states": officer_day.STATE_NAMES.items(),
        "page": get_page(request, rows, size=PAGE_SIZE),
        "can_give": has_permission(request.user, "reassign"),
    }
    return render(request, "team/leads.html", context)

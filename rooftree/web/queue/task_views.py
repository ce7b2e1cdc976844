"""My tasks and by when; for those who watch a team also what others are late with."""

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.routing import task_lists
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def list_tasks(request: StaffRequest) -> HttpResponse:
    """Late first, then by time; for htmx the lists alone."""
    mine = list(task_lists.tasks_of_user(request.user)[: task_lists.MAX_TASKS])
    late = [one for one in mine if one.due_at < request.at]
    context = {
        "late": late,
        "coming": mine[len(late) :],
        "of_others": list(
            task_lists.overdue_tasks_of_others(request.user, at=request.at)[: task_lists.MAX_TASKS]
        ),
        "sees_team": has_permission(request.user, "see_team"),
        "can_tick": has_permission(request.user, "change_lead"),
    }
    return render(
        request, "queue/tasks.html#lists" if request.htmx else "queue/tasks.html", context
    )

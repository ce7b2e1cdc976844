"""The page of the user's tasks; managers also see their team's overdue tasks."""

from django.http import HttpResponse
from django.shortcuts import render

from rooftree.routing import task_lists
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("GET")
def list_tasks(request: StaffRequest) -> HttpResponse:
    """Show the user's tasks, overdue first, then by due time; htmx gets the lists only."""
    tasks = list(task_lists.tasks_of_user(request.user)[: task_lists.MAX_TASKS])
    late = [task for task in tasks if task.due_at < request.at]
    context = {
        "late": late,
        "coming": tasks[len(late) :],
        "of_others": list(
            task_lists.overdue_tasks_of_others(request.user, at=request.at)[: task_lists.MAX_TASKS]
        ),
        "sees_team": has_permission(request.user, "see_team"),
        "can_tick": has_permission(request.user, "change_lead"),
    }
    return render(
        request, "queue/tasks.html#lists" if request.htmx else "queue/tasks.html", context
    )

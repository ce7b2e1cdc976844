"""The page of the user's tasks; managers also see their team's overdue tasks."""

from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import get_current_timezone, localtime

from rooftree.org.models import User
from rooftree.routing import task_lists
from rooftree.routing.permissions import has_permission
from rooftree.web.lead import due_choices, next_steps
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

PAGE_SIZE = 25  # tasks of a list in view; "Show more" adds as many
MAX_DUE = 5  # tasks that unfold above the queue
LATE_IN_QUEUE = timedelta(days=30)  # older tasks are on the page of tasks only


@staff_view("GET")
def list_tasks(request: StaffRequest) -> HttpResponse:
    """Show the user's tasks, overdue first, then by due time; htmx gets the lists only."""
    asked = request.GET.get("shown", "")
    number = int(asked) if asked.isdigit() and asked.isascii() else PAGE_SIZE
    shown = max(PAGE_SIZE, min(number, task_lists.MAX_TASKS))
    tasks = list(task_lists.tasks_of_user(request.user)[: task_lists.MAX_TASKS])
    others = list(
        task_lists.overdue_tasks_of_others(request.user, at=request.at)[: task_lists.MAX_TASKS]
    )
    lines = next_steps.build_task_lines(tasks, request.user)
    late = [line for line in lines if line.task.due_at < request.at]
    today_end = end_of_day(request.at)
    today = [line for line in lines[len(late) :] if line.task.due_at < today_end]
    sections = [
        ("late", "Overdue", late),
        ("today", "Today", today),
        ("coming", "Later", lines[len(late) + len(today) :]),
        ("others", "Overdue on your team", next_steps.build_task_lines(others, request.user)),
    ]
    context = {
        "sections": [
            {"key": key, "label": label, "number": len(rows), "lines": rows[:shown]}
            for key, label, rows in sections
            if rows
        ],
        "has_own": bool(tasks),
        "sees_team": has_permission(request.user, "see_team"),
        "has_calendar": has_permission(request.user, "see_queue"),
        "shown": shown,
        "more": shown + PAGE_SIZE if any(len(rows) > shown for _, _, rows in sections) else None,
        "task_choices": due_choices.due_choices(due_choices.TASK_CHOICES, request.user, request.at),
    }
    return render(
        request, "queue/tasks.html#lists" if request.htmx else "queue/tasks.html", context
    )


def due_today_context(user: User, at: datetime) -> dict[str, Any]:
    """Return the context of the line above the queue: what is due today, appointments first."""
    tasks = task_lists.list_due_tasks(user, since=at - LATE_IN_QUEUE, until=end_of_day(at))
    meetings = [task for task in tasks if task.meeting]
    others = [task for task in tasks if not task.meeting]
    lines = next_steps.build_task_lines([*meetings, *others][:MAX_DUE], user)
    next_meeting = next((task for task in meetings if task.due_at >= at), None)
    return {
        "due_lines": lines,
        "due_number": len(others),
        "meeting_number": len(meetings),
        "next_meeting": next_meeting,
        "is_due_late": any(task.due_at < at for task in tasks),
        "task_choices": due_choices.due_choices(due_choices.TASK_CHOICES, user, at),
    }


def end_of_day(at: datetime) -> datetime:
    """Return the coming midnight in the user's zone."""
    tomorrow = localtime(at).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), get_current_timezone())

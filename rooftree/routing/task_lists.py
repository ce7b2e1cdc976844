"""Task lists: a user's own open tasks, and overdue tasks of their team."""

from datetime import datetime

from django.db.models import Q, QuerySet

from rooftree.leads.models import Task
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_of

MAX_TASKS = 200


def tasks_of_user(user: User) -> QuerySet[Task]:
    """Return the open tasks of a user, soonest first.

    Includes tasks assigned to the user or to their role, and unassigned tasks on
    their leads. An assistant has the tasks of the officers they assist.
    """
    is_own = Q(user=user) | Q(user=None, role=user.role)
    if user.role in ("officer", "assistant"):
        officers = officers_of(user)
        people = officers.values("user_id")
        is_own |= Q(user__in=people) | Q(user=None, role="", lead__officer__in=officers)
    elif has_permission(user, "reassign"):
        is_own |= Q(user=None, role="", lead__officer=None)
    return _visible_open_tasks(user).filter(is_own)


def overdue_tasks_of_others(user: User, *, at: datetime) -> QuerySet[Task]:
    """Return overdue tasks of other users, for users who can see a team."""
    if not has_permission(user, "see_team"):
        return Task.objects.none()
    return (
        _visible_open_tasks(user)
        .filter(due_at__lt=at)
        .exclude(pk__in=tasks_of_user(user).values("pk"))
    )


def _visible_open_tasks(user: User) -> QuerySet[Task]:
    open_tasks = Task.objects.filter(
        done_at=None, canceled_at=None, lead__in=leads_visible_to(user).values("pk")
    )
    tasks = open_tasks.select_related("lead__person", "lead__officer__user", "user")
    return tasks.order_by("due_at", "id")

"""Whose each task is: one's own list, and what of the others is late."""

from datetime import datetime

from django.db.models import Q, QuerySet

from rooftree.leads.models import Task
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_of

MAX_TASKS = 200


def tasks_of_user(user: User) -> QuerySet[Task]:
    """The open tasks of a user, soonest first.

    Their own; those of their role; and, of those that are whoever's the lead
    is, the ones on their leads. An assistant has those of the officers assisted.
    """
    mine = Q(user=user) | Q(user=None, role=user.role)
    if user.role in ("officer", "assistant"):
        officers = officers_of(user)
        people = officers.values("user_id")
        mine |= Q(user__in=people) | Q(user=None, role="", lead__officer__in=officers)
    elif has_permission(user, "reassign"):
        mine |= Q(user=None, role="", lead__officer=None)
    return _visible_open_tasks(user).filter(mine)


def overdue_tasks_of_others(user: User, *, at: datetime) -> QuerySet[Task]:
    """What is overdue and somebody else's, for those who watch a team."""
    if not has_permission(user, "see_team"):
        return Task.objects.none()
    return (
        _visible_open_tasks(user)
        .filter(due_at__lt=at)
        .exclude(pk__in=tasks_of_user(user).values("pk"))
    )


def _visible_open_tasks(user: User) -> QuerySet[Task]:
    rows = Task.objects.filter(
        done_at=None, cancelled_at=None, lead__in=leads_visible_to(user).values("pk")
    )
    known = rows.select_related("lead__person", "lead__officer__user", "user")
    return known.order_by("due_at", "id")

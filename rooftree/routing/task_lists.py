"""Task lists: a user's own open tasks, and overdue tasks of their team."""

from datetime import datetime
from functools import cache
from uuid import UUID

from django.db.models import Q, QuerySet

from rooftree.compliance.credit.credit_clocks import TASK_PREFIX
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.appointments import APPOINTMENT
from rooftree.leads.lead_tasks import CALL_BACK
from rooftree.leads.models import Task
from rooftree.org.models import DESK_ROLES, User
from rooftree.routing import call_hours
from rooftree.routing.permissions import can_act_on, has_permission, leads_visible_to, officers_of

MAX_TASKS = 200


def tasks_of_user(user: User) -> QuerySet[Task]:
    """Return the open tasks of a user, soonest first.

    Includes tasks assigned to the user or to their role, and unassigned tasks on
    their leads. An assistant has the tasks of the officers they assist.
    """
    return _visible_open_tasks(user).filter(_is_own(user))


def can_finish(user: User, task: Task) -> bool:
    """Return True if a user who sees the lead can mark the task done.

    A role's task is that role's, and compliance can do what a manager has to approve, but nobody
    approves the hour of a call to their own lead. The task of a disclosure deadline closes with
    the deadline. An officer or assistant finishes their own tasks and each other's, not those of
    a manager or of compliance.
    """
    if closes_with_deadline(task):
        return False
    if task.kind == call_hours.TASK_KIND and call_hours.is_own_lead(user, task.lead):
        return False
    if task.role:
        return user.has_role(task.role, *(("compliance",) if task.role == "manager" else ()))
    if not can_act_on(user, "change_lead", task.lead):
        return task.user_id == user.pk
    return task.user is None or not user.is_desk_only or task.user.has_role(*DESK_ROLES)


def closes_with_deadline(task: Task) -> bool:
    """Return True for the task of a disclosure deadline."""
    return task.kind.startswith(TASK_PREFIX)


def list_due_tasks(user: User, *, since: datetime, until: datetime) -> list[Task]:
    """List the user's open tasks due in a period, soonest first, at most `MAX_TASKS`.

    The tasks of an officer or assistant depend only on their id and roles, so the query is
    prepared once for each.
    """
    if user.is_desk_only and user.is_active:
        return _due_query(*user.roles).all(user_id=user.pk, since=since, until=until)
    return list(_due_tasks(user, since, until))


@cache
def _due_query(*roles: str) -> PreparedQuery[Task]:
    return PreparedQuery(
        lambda user_id, since, until: _due_tasks(User(pk=user_id, roles=roles), since, until),
        user_id=UUID, since=datetime, until=datetime,
    )  # fmt: skip


def _due_tasks(user: User, since: datetime, until: datetime) -> QuerySet[Task]:
    return tasks_of_user(user).filter(due_at__gte=since, due_at__lt=until)[:MAX_TASKS]


def calendar_of_user(user: User, *, since: datetime, until: datetime) -> QuerySet[Task]:
    """Return the user's appointments and agreed callbacks in a period, kept ones too."""
    dated = Task.objects.filter(
        Q(kind__in=(APPOINTMENT, CALL_BACK)),
        canceled_at=None,
        due_at__gte=since,
        due_at__lt=until,
        lead__in=leads_visible_to(user).values("pk"),
    )
    return dated.filter(_is_own(user)).select_related("lead__person").order_by("due_at", "id")


def overdue_tasks_of_others(user: User, *, at: datetime) -> QuerySet[Task]:
    """Return overdue tasks of other users, for users who can see a team."""
    if not has_permission(user, "see_team"):
        return Task.objects.none()
    return (
        _visible_open_tasks(user)
        .filter(due_at__lt=at)
        .exclude(pk__in=tasks_of_user(user).values("pk"))
    )


def _is_own(user: User) -> Q:
    is_own = Q(user=user) | Q(user=None, role__in=user.roles)
    if user.has_role(*DESK_ROLES):
        officers = officers_of(user)
        people = officers.values("user_id")
        is_own |= Q(user__in=people) | Q(user=None, role="", lead__officer__in=officers)
    if has_permission(user, "reassign"):
        is_own |= Q(user=None, role="", lead__officer=None)
    return is_own


def _visible_open_tasks(user: User) -> QuerySet[Task]:
    open_tasks = Task.objects.filter(
        done_at=None, canceled_at=None, lead__in=leads_visible_to(user).values("pk")
    )
    tasks = open_tasks.select_related("lead__person", "lead__officer__user", "user")
    return tasks.order_by("due_at", "id")

"""Calls that a borrower asked for at an hour that a manager or compliance must approve.

The approval is the finished task: `outreach` reads who finished it (docs/rules/hours.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Task
from rooftree.org.models import User
from rooftree.routing.permissions import leads_visible_to

TASK_KIND = "require:supervisor_approval_state_silent"
MAX_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HourToApprove:
    """One call whose hour waits for approval."""

    task: Task
    agreed_at: datetime | None  # the hour that the borrower asked for


def hours_to_approve(user: User) -> QuerySet[Task]:
    """Return the open tasks to approve a call's hour that the user can approve.

    Nobody approves the hour of a call to their own lead. Empty for other roles.
    """
    rows = Task.objects.filter(kind=TASK_KIND, done_at=None, canceled_at=None)
    leads = leads_visible_to(user, "approve_call_hour").exclude(officer__user=user)
    return rows.filter(lead__in=leads.values("pk")).select_related("lead__person")


def is_own_lead(user: User, lead: Lead) -> bool:
    """Return True if the user is the lead's loan officer, who can't approve the hour."""
    return lead.officer is not None and lead.officer.user_id == user.pk


def list_hours_to_approve(user: User) -> Sequence[HourToApprove]:
    """List the calls a user can approve, soonest first."""
    callback = Task.objects.filter(
        lead=OuterRef("lead"), kind=lead_tasks.CALL_BACK, done_at=None, canceled_at=None
    )
    rows = hours_to_approve(user).annotate(agreed_at=Subquery(callback.values("due_at")[:1]))
    return [
        HourToApprove(task=task, agreed_at=task.agreed_at)
        for task in rows.order_by("agreed_at", "due_at", "id")[:MAX_SHOWN]
    ]


def approve_hour(task: Task, *, by: User, at: datetime) -> bool:
    """Approve the hour: finish the task in the approver's name. Safe to repeat."""
    return lead_tasks.finish_task(task_id=task.pk, by=by.pk, at=at)

"""Departure of a loan officer: their leads go to somebody, then the account ends."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.leads import lead_tasks
from rooftree.leads.models import Task
from rooftree.org import staff_accounts
from rooftree.org.models import LoanOfficer, User
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import handover, lead_ownership
from rooftree.routing.handover import HandoverPlan
from rooftree.tasks.live_updates import publish_update

NO_OWNER = "Find an owner: no loan officer here is licensed for this lead"


def deactivate_user(
    *, user_id: UUID, successor: LoanOfficer | None, by: User, at: datetime
) -> HandoverPlan | None:
    """Deactivate a user, after their leads were handed over; return where the leads went.

    Returns None for a user without leads to hand over. Raises `StaffChangeError`, and
    `lead_ownership.CannotOwn` if the law changed since the plan.
    """
    with transaction.atomic():
        officer = LoanOfficer.objects.filter(user=user_id, terminated_at=None).first()
        plan = handover.plan_handover(officer, successor=successor, at=at) if officer else None
        if plan:
            _hand_over(plan, user_id, by, at)
        staff_accounts.deactivate_user(user_id=user_id, by=by, at=at)
        if plan:
            for row in plan.rows:
                rollup_deltas.append_missing_deltas(row.lead.pk)
            publish_update("offer")
    return plan


def _hand_over(plan: HandoverPlan, user_id: UUID, by: User, at: datetime) -> None:
    for share in plan.shares:
        leads = [row.lead for row in plan.rows if row.officer == share.officer]
        if share.officer is None:
            for lead in leads:
                task = lead_tasks.SystemTask(
                    kind="find_owner", title=NO_OWNER, due_at=at, role="manager"
                )
                lead_tasks.add_or_update_task(task, lead_id=lead.pk, at=at)
            continue
        lead_ownership.hand_over_leads(
            [lead.pk for lead in leads],
            officer_id=share.officer.pk,
            because="officer_left",
            by=by,
            at=at,
        )
    # Their open tasks are the new owner's.
    open_tasks = Task.objects.filter(user=user_id, done_at=None, canceled_at=None)
    open_tasks.filter(lead__in=[row.lead.pk for row in plan.rows]).update(user=None)

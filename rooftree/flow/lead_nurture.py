"""Move a lead to nurture: the borrower isn't ready now, and a task follows up later."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.flow import credit_notice_triggers
from rooftree.leads import lead_tasks, snooze
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.reporting.rollups import rollup_deltas

OPEN_STATES = ("new", "working")


def move_to_nurture(
    *, lead_id: UUID, until: datetime, because: str, by: User, at: datetime
) -> None:
    """Snooze a lead until a date and move it to nurture, with a task for that date.

    Raises `snooze.CannotSnooze` without a reason, while a response is due, or for a lead that is
    in application or closed, and `lead_tasks.InvalidTask`.
    """
    if not because.strip():
        raise snooze.CannotSnooze("Enter a reason.")
    with transaction.atomic():
        credit_notice_triggers.snooze_lead(
            lead_id=lead_id, until=until, because=because, by=by.pk, at=at
        )
        open_lead = Lead.objects.filter(pk=lead_id, state__in=OPEN_STATES)
        if not open_lead.update(state="nurture", response_due_at=None):
            raise snooze.CannotSnooze("Only a new lead or one in work can be moved to nurture.")
        lead_tasks.add_task(
            lead_id=lead_id, user_id=by.pk, title=f"Follow up: {because}", due_at=until, at=at
        )
        write_event(
            "leads.lead.nurtured", at=at, actor=f"user:{by.pk}", lead_id=lead_id, until=until
        )
        rollup_deltas.recount_lead(Lead.objects.get(pk=lead_id))

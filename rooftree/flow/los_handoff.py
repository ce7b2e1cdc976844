"""Handing a lead to the LOS, and what stops when it is handed over."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import clock
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead
from rooftree.los import handoff_outbox, missing_data_text
from rooftree.los.handoff_outbox import HandoffNotReady
from rooftree.los.models import Handoff
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.tasks.live_updates import publish_update

__all__ = ["HandoffNotReady", "request_handoff", "send_handoffs"]
MISSING_DATA_TASK = "handoff"  # the kind of the task that asks for what is missing
MISSING_DATA_DUE_IN = timedelta(days=1)
BATCH = 20


def request_handoff(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Hand a lead to the LOS; its open task to find what was missing is done with that.

    Raises `CannotHandOff` saying what is missing, which is then the officer's task.
    """
    try:
        with transaction.atomic():
            made = handoff_outbox.queue_handoff(lead_id=lead_id, by=by, at=at)
            sequence_enrollment.stop_sequence(lead_id=lead_id, because="handed off", at=at)
            lead_tasks.finish_tasks_of_kind(
                lead_id=lead_id, kind=MISSING_DATA_TASK, by=by.pk, at=at
            )
            send_handoffs.enqueue()
            publish_update("lead", lead=str(lead_id))
    except HandoffNotReady as problem:
        said = " ".join(missing_data_text.describe_missing(one) for one in problem.missing)
        if said:
            _add_missing_data_task(lead_id, said, by, at)
        raise HandoffNotReady(said or str(problem), problem.missing) from problem
    return made


def _add_missing_data_task(lead_id: UUID, said: str, by: User, at: datetime) -> None:
    officer = Lead.objects.values_list("officer__user_id", flat=True).get(pk=lead_id)
    wanted = lead_tasks.SystemTask(
        kind=MISSING_DATA_TASK,
        title=f"Before the hand-off: {said}",
        due_at=at + MISSING_DATA_DUE_IN,
        user_id=officer or by.pk,
    )
    lead_tasks.add_or_update_task(wanted, lead_id=lead_id, at=at)


@task(queue_name="soon")
def send_handoffs() -> None:
    """Send every hand-off that is due, or find out what became of it."""
    handoff_outbox.send_due_handoffs(at=clock.now(), limit=BATCH)

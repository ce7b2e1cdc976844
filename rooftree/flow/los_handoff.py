"""Hand-offs of leads to the LOS, and the work that ends with them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import clock
from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead
from rooftree.los import handoff_outbox, handoff_settlement, missing_data_text
from rooftree.los.handoff_outbox import HandoffNotReady
from rooftree.los.models import Handoff
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.tasks.live_updates import publish_update

__all__ = ["HandoffNotReady", "request_handoff", "send_handoffs"]
MISSING_DATA_TASK = "handoff"  # the kind of the task that asks for missing data
MISSING_DATA_DUE_IN = timedelta(days=1)
BATCH = 20  # hand-offs per run


def request_handoff(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Queue the hand-off of a lead to the LOS and finish its open task for missing data.

    Raises `HandoffNotReady` with the missing data, which becomes the officer's task.
    """
    try:
        with transaction.atomic():
            handoff = handoff_outbox.queue_handoff(lead_id=lead_id, by=by, at=at)
            sequence_enrollment.stop_sequence(lead_id=lead_id, because="handed off", at=at)
            lead_tasks.finish_tasks_of_kind(
                lead_id=lead_id, kind=MISSING_DATA_TASK, by=by.pk, at=at
            )
            send_handoffs.enqueue()
            publish_update("lead", lead=str(lead_id))
    except HandoffNotReady as problem:
        missing = " ".join(missing_data_text.describe_missing(item) for item in problem.missing)
        if missing:
            _add_missing_data_task(lead_id, missing, by, at)
        raise HandoffNotReady(missing or str(problem), problem.missing) from problem
    return handoff


def repeat_handoff(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Send a hand-off of unknown outcome once more, because a person saw that it isn't there."""
    with transaction.atomic():
        handoff = handoff_settlement.send_again(lead_id=lead_id, by=by, at=at)
        send_handoffs.enqueue()
        publish_update("lead", lead=str(lead_id))
    return handoff


def _add_missing_data_task(lead_id: UUID, missing: str, by: User, at: datetime) -> None:
    officer_user_id = Lead.objects.values_list("officer__user_id", flat=True).get(pk=lead_id)
    task_spec = lead_tasks.SystemTask(
        kind=MISSING_DATA_TASK,
        title=f"Before the hand-off: {missing}",
        due_at=at + MISSING_DATA_DUE_IN,
        user_id=officer_user_id or by.pk,
    )
    lead_tasks.add_or_update_task(task_spec, lead_id=lead_id, at=at)


@task(queue_name="soon")
def send_handoffs() -> None:
    """Send every due hand-off, or look up the result of one that is uncertain."""
    handoff_outbox.send_due_handoffs(at=clock.now(), limit=BATCH)

"""Handing a lead to the LOS, and what stops when it is handed over."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.tasks import task

from rooftree.flow import moment
from rooftree.los import outbox
from rooftree.los.models import Handoff
from rooftree.los.outbox import CannotHandOff
from rooftree.nurture import enrol
from rooftree.org.models import User

__all__ = ["CannotHandOff", "ask", "send_handoffs"]
BATCH = 20


def ask(*, lead_id: UUID, by: User, at: datetime) -> Handoff:
    """Hand a lead to the LOS. Raises `outbox.CannotHandOff` saying what is missing."""
    with transaction.atomic():
        made = outbox.ask(lead_id=lead_id, by=by, at=at)
        enrol.stop(lead_id=lead_id, because="handed off", at=at)
        send_handoffs.enqueue()
    return made


@task(queue_name="soon")
def send_handoffs() -> None:
    """Send every hand-off that is due, or find out what became of it."""
    outbox.send_due(at=moment.now(), limit=BATCH)

"""Carrying messages out: a nudge drains what is due, and the clock catches what nudges missed."""

from datetime import datetime

from django.tasks import task

from rooftree.flow import moment
from rooftree.outreach import ring, send

BATCH = 50


@task(queue_name="now", priority=60)
def send_messages() -> None:
    """Send every text and e-mail that is due."""
    send_due(at=moment.now())


def send_due(*, at: datetime) -> int:
    """Send what is due until nothing is; how many were handled."""
    handled = 0
    while done := send.send_due(at=at, limit=BATCH):
        handled += done
    return handled


@task(queue_name="now", priority=60)
def ring_officers() -> None:
    """Place every call to an officer that is due."""
    ring.ring_due(at=moment.now())

"""Carrying messages out: a nudge drains what is due, and the clock catches what nudges missed."""

from collections.abc import Iterable
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.tasks import task

from rooftree.flow import moment
from rooftree.outreach import ring, send, spread
from rooftree.tasks.absorb import absorb

BATCH = 200
TOGETHER = 10  # decided and called at once; as many are of unknown fate after a crash


@task(queue_name="now", priority=60)
def send_messages() -> None:
    """Send every text and e-mail that is due."""
    absorb(send_messages)
    send_due(at=moment.now())


def send_due(*, at: datetime) -> int:
    """Send what is due until nothing is; how many were handled.

    A few are decided at a time, at their own moment: carriers may be slow, and the
    evening's last minute must not be stretched by those before. What waited together with
    many others leaves at a pace.
    """
    spread.apart(at=at)
    began, handled = moment.now(), 0
    while ids := send.due(at=at, limit=BATCH):
        done = send_these(ids, at=at + (moment.now() - began))
        if not done:  # other workers have them in hand
            break
        handled += done
    return handled


def send_these(message_ids: Iterable[UUID], *, at: datetime) -> int:
    """Send those of some messages that are due and in no other worker's hands; how many."""
    began, handled = moment.now(), 0
    for some in batched(message_ids, TOGETHER):
        handled += len(send.deliver(some, at=at + (moment.now() - began)))
    return handled


@task(queue_name="now", priority=60)
def ring_officers() -> None:
    """Place every call to an officer that is due."""
    absorb(ring_officers)
    ring_due()


def ring_due() -> None:
    """The same at once, by whoever has put one in line."""
    while ring.ring_due(at=moment.now()) == ring.TOGETHER:
        pass

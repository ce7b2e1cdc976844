"""Carrying messages out: a nudge drains what is due, and the clock catches what nudges missed."""

from collections.abc import Iterable
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.tasks import task

from rooftree.flow import clock
from rooftree.outreach.calls import officer_calls
from rooftree.outreach.messages import send, send_pacing
from rooftree.tasks.dedupe import complete_waiting_duplicates

FETCH_BATCH = 200
SEND_BATCH = 10  # decided and called at once; as many are of unknown fate after a crash


@task(queue_name="now", priority=60)
def send_messages() -> None:
    """Send every text and e-mail that is due."""
    complete_waiting_duplicates(send_messages)
    send_due_messages(at=clock.now())


def send_due_messages(*, at: datetime) -> int:
    """Send what is due until nothing is; how many were handled.

    A few are decided at a time, at their own moment: carriers may be slow, and the
    evening's last minute must not be stretched by those before. What waited together with
    many others leaves at a pace.
    """
    send_pacing.spread_due_messages(at=at)
    began, handled = clock.now(), 0
    while ids := send.find_due_messages(at=at, limit=FETCH_BATCH):
        done = send_messages_by_id(ids, at=at + (clock.now() - began))
        if not done:  # other workers have them in hand
            break
        handled += done
    return handled


def send_messages_by_id(message_ids: Iterable[UUID], *, at: datetime) -> int:
    """Send those of some messages that are due and in no other worker's hands; how many."""
    began, handled = clock.now(), 0
    for some in batched(message_ids, SEND_BATCH):
        handled += len(send.deliver_messages(some, at=at + (clock.now() - began)))
    return handled


@task(queue_name="now", priority=60)
def ring_officers() -> None:
    """Place every call to an officer that is due."""
    complete_waiting_duplicates(ring_officers)
    ring_due_officers()


def ring_due_officers() -> None:
    """The same at once, by whoever has put one in line."""
    while officer_calls.place_due_calls(at=clock.now()) == officer_calls.BATCH_SIZE:
        pass

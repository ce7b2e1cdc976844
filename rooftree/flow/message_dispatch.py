"""Sending of due messages and calls to officers, by task and, as a fallback, by the scheduler."""

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
SEND_BATCH = 10  # decided and sent at once; a crash leaves this many of unknown outcome


@task(queue_name="now", priority=60)
def send_messages() -> None:
    """Send every due text and e-mail."""
    complete_waiting_duplicates(send_messages)
    send_due_messages(at=clock.now())


def send_due_messages(*, at: datetime) -> int:
    """Send due messages until none is left; return how many were handled.

    A few are decided at a time, each at its own moment: carriers can be slow, and messages
    sent earlier must not stretch the last minute of the evening. Messages that waited with
    many others are sent at a pace.
    """
    send_pacing.spread_due_messages(at=at)
    started_at, handled = clock.now(), 0
    while ids := send.find_due_messages(at=at, limit=FETCH_BATCH):
        count = send_messages_by_id(ids, at=at + (clock.now() - started_at))
        if not count:  # other workers are sending them
            break
        handled += count
    return handled


def send_messages_by_id(message_ids: Iterable[UUID], *, at: datetime) -> int:
    """Send the due messages that no other worker is sending; return how many."""
    started_at, handled = clock.now(), 0
    for batch in batched(message_ids, SEND_BATCH):
        handled += len(send.deliver_messages(batch, at=at + (clock.now() - started_at)))
    return handled


@task(queue_name="now", priority=60)
def ring_officers() -> None:
    """Place every due call to an officer."""
    complete_waiting_duplicates(ring_officers)
    ring_due_officers()


def ring_due_officers() -> None:
    """Place due officer calls now, in the calling process."""
    while officer_calls.place_due_calls(at=clock.now()) == officer_calls.BATCH_SIZE:
        pass

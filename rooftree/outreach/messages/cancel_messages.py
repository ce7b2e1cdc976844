"""Taking messages out of the line: what something overtook, and what a bug of ours struck."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from rooftree.db.db_role import assume_role
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.outreach.messages import message_attempts
from rooftree.outreach.models import Message

OVERTAKEN_CAUSES = ("touch:", "step:")  # the first hello and the steps of sequences
RETRY_AFTER = timedelta(minutes=15)  # when a setting or a program of ours is wrong
MAX_TRIES = 5  # of a message that strikes a bug of ours; then a person looks


def cancel_overtaken(
    *, lead_id: UUID, because: str, at: datetime, causes: tuple[str, ...] = OVERTAKEN_CAUSES
) -> int:
    """Take back automatic messages that something overtook before they were handed over; how many.

    Args:
        causes: how the causes of those begin. By default what was to win the
            borrower's ear; not news about their loan, a rate they wait for, or
            the answer to their own STOP or HELP.
    """
    begins = reduce(or_, (Q(cause__startswith=cause) for cause in causes))
    waiting = Message.objects.filter(
        begins,
        lead_id=lead_id,
        direction="out",
        is_automated=True,
        state__in=["waiting", "held", "review"],
    )
    with transaction.atomic():
        count = waiting.update(state="cancelled", problem=because, due_at=None)
        if count:
            write_event(
                "outreach.messages.cancelled",
                at=at,
                lead_id=lead_id,
                count=count,
                because=because,
            )
    return count


def cancel_release_messages(release_id: UUID, *, because: str, at: datetime) -> int:
    """Take back what a stopped release has in line; how many messages.

    One that a worker holds at this moment is left to that worker's last look, and to
    `releases.acts.take_back_late`.
    """
    mine = Message.objects.filter(release=release_id, state__in=["waiting", "held", "review"])
    with assume_role("door"):
        found = list(mine.select_for_update(skip_locked=True).values_list("pk", "lead_id"))
        _mark_canceled(found, because, at)
    return len(found)


def release_claims(claimed: Sequence[Any], *, at: datetime) -> None:
    """Take what a worker claimed, and the carrier has not got, out of its hands; in a transaction.

    Args:
        claimed: rows of `held.CLAIMED`. What a stopped release made is cancelled, all else waits.
    """
    message_attempts.delete_attempts(claimed)
    stopped = [one for one in claimed if one.release_state == "stopped"]
    _mark_canceled([(one.pk, one.lead_id) for one in stopped], "Its release was stopped.", at)
    others = [one.pk for one in claimed if one.release_state != "stopped"]
    Message.objects.filter(pk__in=others).update(state="waiting", claimed_at=None)


def _mark_canceled(found: Sequence[tuple[UUID, UUID]], because: str, at: datetime) -> None:
    Message.objects.filter(pk__in=[pk for pk, _ in found]).update(
        state="cancelled", problem=because[:300], due_at=None, claimed_at=None
    )
    write_events(
        build_event(
            "outreach.messages.cancelled", at=at, lead_id=lead_id, message=pk, because=because
        )
        for pk, lead_id in found
    )


def set_message_aside(message_id: UUID, problem: str, at: datetime) -> None:
    """Put a message that a bug of ours struck out of the way of the others.

    One that may be at the carrier is of unknown fate; another waits, and is a
    person's to look at when it strikes again and again.
    """
    mine = Message.objects.filter(pk=message_id)
    with assume_role("door"):
        if mine.filter(state="claimed").update(state="uncertain", due_at=at, problem=problem):
            return
        waiting = mine.filter(state__in=["waiting", "held"])
        waiting.update(attempts=F("attempts") + 1, due_at=at + RETRY_AFTER, problem=problem)
        if waiting.filter(attempts__gt=MAX_TRIES).update(state="review", due_at=None):
            message = mine.get()
            write_event(
                "outreach.message.review", at=at, lead_id=message.lead_id, message=message.pk
            )

"""Removal of messages from the queue: overtaken, stopped, or hit by a bug of ours."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from rooftree.db.db_role import assume_role
from rooftree.leads.models import ContactAttempt
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.outreach.models import Message

OVERTAKEN_CAUSES = ("touch:", "step:")  # first responses and sequence steps
RETRY_AFTER = timedelta(minutes=15)  # after a wrong setting or a bug of ours
MAX_TRIES = 5  # of a message that hits a bug of ours; then it goes to review


def cancel_overtaken(
    *, lead_id: UUID, because: str, at: datetime, causes: tuple[str, ...] = OVERTAKEN_CAUSES
) -> int:
    """Cancel a lead's unsent automatic messages after a newer event; return how many.

    Args:
        causes: prefixes of the causes to cancel. The default covers messages that try to start
            a conversation, but not loan news, rate alerts or the answers to STOP and HELP.
    """
    has_cause = reduce(or_, (Q(idempotency_key__startswith=cause) for cause in causes))
    waiting = Message.objects.filter(
        has_cause,
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
    """Cancel the queued messages of a stopped release; return how many.

    A message locked by a worker right now is left to that worker's recheck, and to
    `release_control.cancel_late_messages`.
    """
    queued = Message.objects.filter(release=release_id, state__in=["waiting", "held", "review"])
    with assume_role("door"):
        rows = list(queued.select_for_update(skip_locked=True).values_list("pk", "lead_id"))
        _mark_canceled(rows, because, at)
    return len(rows)


def release_claims(claimed: Sequence[Any], *, at: datetime) -> None:
    """Undo claims on messages the carrier has not received. Call in a transaction.

    Messages of a stopped release are canceled; all others wait again.

    Args:
        claimed: rows of `message_verdicts.CLAIMED_MESSAGES`.
    """
    delete_attempts(claimed)
    stopped = [(row.pk, row.lead_id) for row in claimed if row.release_state == "stopped"]
    _mark_canceled(stopped, "The campaign was stopped.", at)
    others = [row.pk for row in claimed if row.release_state != "stopped"]
    Message.objects.filter(pk__in=others).update(state="waiting", claimed_at=None)


def delete_attempts(messages: Sequence[Message]) -> None:
    """Delete the attempts of messages that never reached the carrier."""
    causes = [f"message:{message.pk}" for message in messages]
    ContactAttempt.objects.filter(idempotency_key__in=causes).delete()


def _mark_canceled(rows: Sequence[tuple[UUID, UUID]], because: str, at: datetime) -> None:
    Message.objects.filter(pk__in=[pk for pk, _ in rows]).update(
        state="cancelled", problem=because[:300], due_at=None, claimed_at=None
    )
    write_events(
        build_event(
            "outreach.messages.cancelled", at=at, lead_id=lead_id, message=pk, because=because
        )
        for pk, lead_id in rows
    )


def set_message_aside(message_id: UUID, problem: str, at: datetime) -> None:
    """Set aside a message that hit a bug of ours, so that it does not block the others.

    If the carrier might have it, it becomes uncertain. Otherwise it waits for a retry and goes
    to review after MAX_TRIES.
    """
    row = Message.objects.filter(pk=message_id)
    with assume_role("door"):
        if row.filter(state="claimed").update(state="uncertain", due_at=at, problem=problem):
            return
        waiting = row.filter(state__in=["waiting", "held"])
        waiting.update(attempts=F("attempts") + 1, due_at=at + RETRY_AFTER, problem=problem)
        if waiting.filter(attempts__gt=MAX_TRIES).update(state="review", due_at=None):
            message = row.get()
            write_event(
                "outreach.message.review", at=at, lead_id=message.lead_id, message=message.pk
            )


def delete_undone_attempts(attempts: QuerySet[Any]) -> None:
    """Delete calls that were recorded by mistake and taken back: none took place."""
    with assume_role("door"):
        attempts.delete()

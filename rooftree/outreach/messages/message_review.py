"""Messages that wait for a person: the gate asked for one, or a program of ours struck them.

A release is no way around the gate. It is asked again at that moment with the
fact that a named person decided, which answers only the rules that asked for
judgment; stops, consents, hours and everything else are judged as they stand.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.compliance.gate.message_gate import REASONS_A_PERSON_DECIDES
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.messages import required_actions, send
from rooftree.outreach.models import Message, MessageReview

REPEAT_WINDOW = timedelta(minutes=1)
MAX_REASON_LENGTH = 300  # characters of a reason


class CannotReview(Exception):
    """Somebody has decided already, or no reason was given. The text is fit to show."""


def messages_in_review() -> QuerySet[Message]:
    """The messages that nothing but a person moves on, oldest first."""
    rows = Message.objects.filter(state="review", direction="out")
    return rows.select_related("lead__person", "verdict", "officer__user", "by").order_by(
        "created_at", "id"
    )


def needs_only_judgment(message: Message) -> bool:
    """Whether a person's decision is all that is asked for; else something must be done first."""
    verdict = message.verdict
    if verdict is None or verdict.decision != "require":
        return True
    asked = [result for result in verdict.results if result["decision"] == "require"]
    return all(one["reason"] in REASONS_A_PERSON_DECIDES for one in asked)


def release_message(*, message_id: UUID, by: User, reason: str, at: datetime) -> Message:
    """Let a message go as far as the gate agrees now; answers with what became of it.

    It may be sent, held to its hour, blocked by another rule, or wait for a
    person again. Pressing twice is one decision. Raises `CannotDecide`.
    """
    reason = _clean_reason(reason)
    with transaction.atomic():
        message = _lock_message(message_id, by, at, is_release=True)
        if message.state != "review":
            return message
        _record_review(message, by, reason, at, is_release=True)
        Message.objects.filter(pk=message.pk).update(state="waiting", due_at=at, problem="")
    send.deliver_messages([message.pk], at=at)
    asked = message.verdict.reason if message.verdict else ""
    message.refresh_from_db()
    if message.state != "review" and asked:
        _finish_task(message, asked, by, at)
    return message


def discard_message(*, message_id: UUID, by: User, reason: str, at: datetime) -> Message:
    """It never goes; the reason stands on the timeline. Pressing twice is one decision.

    Raises `CannotDecide`.
    """
    reason = _clean_reason(reason)
    with transaction.atomic():
        message = _lock_message(message_id, by, at, is_release=False)
        if message.state != "review":
            return message
        _record_review(message, by, reason, at, is_release=False)
        said = f"{by.name} decided that it does not go: {reason}"[:300]
        Message.objects.filter(pk=message.pk).update(state="cancelled", due_at=None, problem=said)
        if message.verdict:
            _finish_task(message, message.verdict.reason, by, at)
    message.refresh_from_db()
    return message


def _clean_reason(typed: str) -> str:
    reason = " ".join(typed.replace("\x00", "").split())[:MAX_REASON_LENGTH]
    if not reason:
        raise CannotReview("Say why: the reason is kept with the decision.")
    return reason


def _lock_message(message_id: UUID, by: User, at: datetime, *, is_release: bool) -> Message:
    """The message, locked; of two people who decide at once the second hears of the first."""
    message = (
        Message.objects.select_for_update(of=("self",)).select_related("verdict").get(pk=message_id)
    )
    if message.state == "review":
        return message
    mine = MessageReview.objects.filter(
        message=message, by=by, is_release=is_release, at__gt=at - REPEAT_WINDOW
    )
    if not mine.exists():
        raise CannotReview("Somebody has decided about this already.")
    return message


def _record_review(
    message: Message, by: User, reason: str, at: datetime, *, is_release: bool
) -> None:
    review = MessageReview.objects.create(
        id=uuid7_at(at),
        message=message,
        verdict=message.verdict,
        is_release=is_release,
        reason=reason,
        by=by,
        at=at,
    )
    write_event(
        "outreach.message.released" if is_release else "outreach.message.refused",
        at=at,
        actor=f"user:{by.pk}",
        lead_id=message.lead_id,
        message=message.pk,
        review=review.pk,
        verdict=message.verdict_id,
    )


def _finish_task(message: Message, asked: str, by: User, at: datetime) -> None:
    """The task is over unless another message of the lead waits for the same."""
    same = Message.objects.filter(lead_id=message.lead_id, state="review", verdict__reason=asked)
    if not same.exclude(pk=message.pk).exists():
        required_actions.finish_task(lead_id=message.lead_id, reason=asked, by=by.pk, at=at)

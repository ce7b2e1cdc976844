"""Messages waiting for staff review: the gate asked for it, or a bug of ours hit them.

Sending a reviewed message does not bypass the gate. The gate decides again, knowing that a
named person approved. The approval answers only the rules that asked for human judgment;
opt-outs, consents, hours and everything else apply as they stand at that moment.
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
    """A message can't be decided by this user, now or without a reason. The text can be shown."""


def messages_in_review() -> QuerySet[Message]:
    """Return the messages waiting for a staff decision, oldest first."""
    rows = Message.objects.filter(state="review", direction="out")
    return rows.select_related("lead__person", "verdict", "officer__user", "by").order_by(
        "created_at", "id"
    )


def needs_only_judgment(message: Message) -> bool:
    """Return True if a staff decision is enough; False if something has to be done first."""
    verdict = message.verdict
    if verdict is None or verdict.decision != "require":
        return True
    required = [result for result in verdict.results if result["decision"] == "require"]
    return all(result["reason"] in REASONS_A_PERSON_DECIDES for result in required)


def is_own_message(message: Message, user: User) -> bool:
    """Return True if the user wrote a message or it goes out as theirs; they can't release it."""
    return message.by_id == user.pk or bool(message.officer and message.officer.user_id == user.pk)


def release_message(*, message_id: UUID, by: User, reason: str, at: datetime) -> Message:
    """Approve a message and send it if the gate allows it now; return it in its new state.

    It can be sent, held until a permitted hour, blocked by another rule, or left in review.
    A repeat within a minute counts as the same decision. Raises `CannotReview`, also for a
    message of the user's own.
    """
    reason = _clean_reason(reason)
    with transaction.atomic():
        message = _lock_message(message_id, by, at, is_release=True)
        if message.state != "review":
            return message
        if is_own_message(message, by):
            raise CannotReview("You can’t approve your own message. Ask a second person.")
        _record_review(message, by, reason, at, is_release=True)
        Message.objects.filter(pk=message.pk).update(state="waiting", due_at=at, problem="")
    send.deliver_messages([message.pk], at=at)
    review_reason = message.verdict.reason if message.verdict else ""
    message.refresh_from_db()
    if message.state != "review" and review_reason:
        _finish_task(message, review_reason, by, at)
    return message


def discard_message(*, message_id: UUID, by: User, reason: str, at: datetime) -> Message:
    """Cancel a message in review for good; the timeline shows the reason.

    A repeat within a minute counts as the same decision. Raises `CannotReview`.
    """
    reason = _clean_reason(reason)
    with transaction.atomic():
        message = _lock_message(message_id, by, at, is_release=False)
        if message.state != "review":
            return message
        _record_review(message, by, reason, at, is_release=False)
        problem = f"{by.name} discarded it: {reason}"[:300]
        Message.objects.filter(pk=message.pk).update(
            state="cancelled", due_at=None, problem=problem
        )
        if message.verdict:
            _finish_task(message, message.verdict.reason, by, at)
    message.refresh_from_db()
    return message


def _clean_reason(typed: str) -> str:
    reason = " ".join(typed.replace("\x00", "").split())[:MAX_REASON_LENGTH]
    if not reason:
        raise CannotReview("Enter a reason. It is kept with the decision.")
    return reason


def _lock_message(message_id: UUID, by: User, at: datetime, *, is_release: bool) -> Message:
    """Lock and return the message; raise `CannotReview` if someone else already decided."""
    message = (
        Message.objects.select_for_update(of=("self",)).select_related("verdict").get(pk=message_id)
    )
    if message.state == "review":
        return message
    same_decision = MessageReview.objects.filter(
        message=message, by=by, is_release=is_release, at__gt=at - REPEAT_WINDOW
    )
    if not same_decision.exists():
        raise CannotReview("This message was already reviewed.")
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


def _finish_task(message: Message, reason: str, by: User, at: datetime) -> None:
    """Finish the task unless another message of the lead is in review for the same reason."""
    in_review = Message.objects.filter(lead_id=message.lead_id, state="review")
    if not in_review.filter(verdict__reason=reason).exclude(pk=message.pk).exists():
        required_actions.finish_task(lead_id=message.lead_id, reason=reason, by=by.pk, at=at)

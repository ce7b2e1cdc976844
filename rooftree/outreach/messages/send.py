"""The only way to send a text or email to a borrower, behind the gate.

A message is a row with a due time. Sending takes four steps, and a crash can follow any
of them: decide and claim (committed, with the contact attempts that caps count), decide
again at hand-off, call the carrier outside any transaction, record the result. All
messages of a batch take each step together. A claim with an unknown outcome is looked up
at the carrier or shown to staff; it is never sent again.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Unpack
from uuid import UUID

from django.conf import settings
from django.db.models import Exists

from rooftree.compliance.consent import store_revocation
from rooftree.core.vendor_errors import (
    Misconfigured,
    OutcomeUnknown,
    RequestRejected,
    RetryLater,
    VendorError,
    retry_delay,
)
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.db.bulk_update import update_each
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.org import shadow_mode
from rooftree.org.mail_server import active_mail_server
from rooftree.org.mail_transport import MailServer
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.media import borrower_mail
from rooftree.outreach.media.active_carrier import Carrier, get_carrier
from rooftree.outreach.media.carrier_types import CarrierReceipt, NoSuchNumber, OptedOut
from rooftree.outreach.messages import (
    cancel_messages,
    message_verdicts,
    number_checks,
    plan_messages,
    required_actions,
)
from rooftree.outreach.messages.message_verdicts import DecidedMessage
from rooftree.outreach.messages.plan_messages import MessageSpec, build_message, unsubscribe_url
from rooftree.outreach.models import Message
from rooftree.tasks.batches import run_batch, run_concurrently

log = logging.getLogger(__name__)
QUEUED_EVENT = "outreach.message.planned"
CLAIM_LIMIT = timedelta(seconds=90)  # a carrier call ends well before; an older claim is a crash
LOOK_UP_FOR = timedelta(minutes=30)  # stop looking up an uncertain text after this long
LOOK_UP_EVERY = timedelta(minutes=2)
BACK_OFF = (15, 60, 300, 900, 3600)  # seconds before the next try, by attempts made


def queue_message(*, at: datetime, **planned: Unpack[MessageSpec]) -> Message:
    """Queue a message, once per cause and medium; return the queued one.

    The gate decides when the message is due, so queuing does not mean it will be sent.
    """
    return queue_messages([planned], at=at)[0]


def queue_messages(planned: Sequence[MessageSpec], *, at: datetime) -> list[Message]:
    """Queue messages; return each, or the existing one with the same cause and medium."""
    drafts = [build_message(spec, at) for spec in planned]
    for draft, from_address in zip(drafts, plan_messages.from_addresses(drafts), strict=True):
        draft.from_address = from_address
    with assume_role("door", savepoint=False):
        written = insert_new_rows(drafts)
    write_events(
        build_event(
            QUEUED_EVENT,
            at=at,
            lead_id=draft.lead_id,
            message=draft.pk,
            cause=draft.idempotency_key,
        )
        for draft in drafts
        if draft.pk in written
    )
    return [
        draft
        if draft.pk in written
        else Message.objects.get(idempotency_key=draft.idempotency_key, medium=draft.medium)
        for draft in drafts
    ]


def find_due_messages(*, at: datetime, limit: int = 50) -> list[UUID]:
    """Return ids of messages due now, oldest due first, except release messages (paced apart)."""
    rows = Message.objects.filter(state__in=["waiting", "held"], due_at__lte=at, release=None)
    rows = rows.exclude(Exists(ACTIVE_PAUSE))
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def deliver_messages(message_ids: Iterable[UUID], *, at: datetime) -> set[UUID]:
    """Decide due messages and send the allowed ones; return the ids this worker decided.

    Several messages to one person are decided one after another, and each counts for the next.
    A message that hits a bug of ours is set aside and does not affect the others.
    """

    def set_aside(key: UUID, problem: Exception) -> None:
        log.error("message %s could not be sent", key, exc_info=problem)
        cancel_messages.set_message_aside(key, f"{type(problem).__name__} while sending.", at)

    remaining, decided = list(message_ids), dict[UUID, DecidedMessage]()
    while batch := run_batch(
        lambda keys: _claim_messages(keys, at), remaining, on_failure=set_aside
    ):
        decided |= {decision.message.pk: decision for decision in batch}
        remaining = [key for key in remaining if key not in decided]
    claimed = {key: decision for key, decision in decided.items() if decision.is_allowed}
    ready = run_batch(
        lambda keys: _recheck_claimed([claimed[key] for key in keys], at),
        list(claimed),
        on_failure=set_aside,
    )
    # Right after the recheck, so a slow carrier leaves no gap for a STOP; threads only hand over.
    hand_over = partial(_hand_to_carrier, get_carrier(), active_mail_server())
    results = {result.message.pk: result for result in run_concurrently(hand_over, ready)}
    run_batch(
        lambda keys: _record_results([results[key] for key in keys]),
        list(results),
        on_failure=set_aside,
    )
    return {*decided}


def reclaim_stale_messages(*, at: datetime) -> int:
    """Mark messages claimed before a crash as uncertain; return how many."""
    stale = Message.objects.filter(state="claimed", claimed_at__lt=at - CLAIM_LIMIT)
    with assume_role("door"):
        rows = list(stale.select_for_update(skip_locked=True))
        for message in rows:
            _mark_uncertain(message, "Rooftree stopped while sending it.", at, look_at=at)
    return len(rows)


def reconcile_uncertain_texts(*, at: datetime, limit: int = 50) -> int:
    """Look up texts with an unknown outcome at the carrier; return how many were settled.

    Never sends. A text the carrier does not know for half an hour stays uncertain for good;
    staff see it and can write to the borrower themselves.
    """
    uncertain = Message.objects.filter(state="uncertain", medium="text", due_at__lte=at)
    return sum(_reconcile_text(message, at) for message in uncertain.order_by("due_at")[:limit])


def _claim_messages(message_ids: Sequence[UUID], at: datetime) -> list[DecidedMessage]:
    with assume_role("door"):
        messages = message_verdicts.lock_due_messages(message_ids, at=at)
        inputs = message_verdicts.load_inputs(messages, at=at)
        message_verdicts.sign_as_current_owners(inputs, at=at)
        decided = message_verdicts.decide_messages(inputs, stage="dequeued")
        _store_decisions(decided, at)
    return decided


def _store_decisions(decided: Sequence[DecidedMessage], at: datetime) -> None:
    """Apply each verdict to its message, and record an attempt for each allowed one."""
    for decision in decided:
        _apply_verdict(decision, at)
    stopped = [decision for decision in decided if not decision.is_allowed]
    allowed = [decision.message for decision in decided if decision.is_allowed]
    message_verdicts.record_attempts(allowed, at)
    for decision in stopped:
        message = decision.message
        if number_checks.request_missing_checks(decision.verdict, at=at):
            message.state, message.due_at = "held", at + number_checks.RECHECK_AFTER
        elif message.state == "review":
            required_actions.create_task(decision.verdict, message.lead, at=at)
    write_events(
        build_event(
            f"outreach.message.{decision.message.state}",
            at=at,
            lead_id=decision.message.lead_id,
            message=decision.message.pk,
            verdict=decision.verdict.pk,
            reason=decision.verdict.reason,
        )
        for decision in stopped
    )
    changed = (
        *("id", "verdict_id", "purpose", "ending", "state", "claimed_at", "attempts"),
        *("problem", "due_at"),
    )
    rows = [{name: getattr(decision.message, name) for name in changed} for decision in decided]
    update_each(Message, rows)


def _apply_verdict(decision: DecidedMessage, at: datetime) -> None:
    """Move a message to the state of its verdict; in shadow mode none is claimed or reviewed."""
    message, verdict = decision.message, decision.verdict
    message.verdict = verdict
    if decision.is_allowed:
        message.state, message.claimed_at = "claimed", at
        message.attempts += 1
        return
    message.state = {"defer": "held", "block": "blocked"}.get(verdict.decision, "review")
    message.problem = verdict.sentence[:300]
    if decision.is_shadow and message.state == "review":
        message.state, message.problem = "shadow", shadow_mode.NOT_SENT
    message.due_at = verdict.next_allowed_at if message.state == "held" else None


def _recheck_claimed(claimed: Sequence[DecidedMessage], at: datetime) -> list[DecidedMessage]:
    """Decide again right before the carrier, since a STOP can have arrived; return the allowed."""
    with assume_role("door"):
        still_claimed = message_verdicts.lock_still_claimed(
            (decision.message.pk for decision in claimed), at=at
        )
        decided = message_verdicts.redecide_messages(
            [decision for decision in claimed if decision.message.pk in still_claimed],
            stage="handoff",
            at=at,
        )
        allowed = [decision for decision in decided if decision.is_allowed]
        stopped = [decision for decision in decided if not decision.is_allowed]
        for decision in allowed:
            decision.message.verdict = decision.verdict
            decision.message.claimed_at = decision.verdict.at
        changed = ("id", "verdict_id", "claimed_at")
        rows = [{name: getattr(decision.message, name) for name in changed} for decision in allowed]
        update_each(Message, rows)
        if stopped:
            cancel_messages.delete_attempts([decision.message for decision in stopped])
            _store_decisions(stopped, at)
    return allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class _CarrierResult:
    """The outcome of handing one message to the carrier: a receipt or an exception."""

    message: Message
    at: datetime
    carrier: str = ""
    accepted: CarrierReceipt | None = None
    problem: Exception | None = None


def _hand_to_carrier(carrier: Carrier, server: MailServer, ready: DecidedMessage) -> _CarrierResult:
    message, at = ready.message, ready.verdict.at
    try:
        name, accepted = _call_carrier(carrier, server, message)
    except Exception as problem:  # a bug must not affect the messages already handed over
        return _CarrierResult(message=message, at=at, problem=problem)
    return _CarrierResult(message=message, at=at, carrier=name, accepted=accepted)


def _record_results(results: Sequence[_CarrierResult]) -> Sequence[_CarrierResult]:
    with assume_role("door"):
        _record_sent([result for result in results if result.accepted])
        for result in results:
            if result.problem:
                _handle_failure(result.message, result.problem, result.at)
    return results


def _handle_failure(message: Message, problem: Exception, at: datetime) -> None:
    match problem:
        case RetryLater():
            _requeue_message(message, problem, retry_delay(problem, message.attempts, BACK_OFF), at)
        case Misconfigured():  # an admin has to fix it in Setup; the message is kept
            _requeue_message(message, problem, cancel_messages.RETRY_AFTER, at)
        case RequestRejected():
            _mark_failed(message, problem, at)
        case OutcomeUnknown():
            _mark_uncertain(message, str(problem), at, look_at=at + timedelta(minutes=1))
        case _:
            raise problem


def _call_carrier(
    carrier: Carrier, server: MailServer, message: Message
) -> tuple[str, CarrierReceipt]:
    if message.medium == "email":
        email = borrower_mail.OutboundEmail(
            to=message.to_address, sender=message.from_address,
            subject=message.subject, body=message.full_text, reference=str(message.pk),
            unsubscribe_url=unsubscribe_url(message),
            reply_to=plan_messages.reply_address(message),
        )  # fmt: skip
        return "mail", CarrierReceipt(carrier_id=borrower_mail.send_email(email, server))
    accepted = carrier.send_text(
        to=message.to_address,
        sender=message.from_address,
        body=message.full_text,
        status_callback=f"{settings.PUBLIC_URL}/in/twilio/status/{message.pk}/",
        reference=str(message.pk),
    )
    return carrier.name, accepted


def _record_sent(results: Sequence[_CarrierResult]) -> None:
    """Mark messages the carrier accepted as sent.

    A status callback can arrive first. Its state then stays; only the receipt is added.
    """
    receipts: list[dict[str, Any]] = [
        {
            "id": result.message.pk,
            "carrier": result.carrier,
            "carrier_id": result.accepted.carrier_id,
            "segments": result.accepted.segments,
        }
        for result in results
        if result.accepted
    ]
    sent = [
        receipt | {"state": "sent", "sent_at": result.at, "due_at": None, "problem": ""}
        for receipt, result in zip(receipts, results, strict=True)
    ]
    updated = update_each(Message, sent, where={"state": ["claimed", "uncertain"]})
    update_each(Message, [receipt for receipt in receipts if receipt["id"] not in updated])
    write_events(
        build_event(
            "outreach.message.sent", at=result.at, lead_id=message.lead_id, message=message.pk
        )
        for result in results
        if (message := result.message).pk in updated
    )
    first_sent = {result.message.lead_id: result.at for result in results}
    rows = [{"id": lead_id, "first_message_at": at} for lead_id, at in first_sent.items()]
    update_each(Lead, rows, where={"first_message_at": None})


def _reconcile_text(message: Message, at: datetime) -> bool:
    since = message.claimed_at or message.created_at
    uncertain = Message.objects.filter(pk=message.pk, state="uncertain")
    try:
        receipt = get_carrier().find_text(
            to=message.to_address, sender=message.from_address, body=message.full_text, since=since
        )
    except VendorError:
        uncertain.update(due_at=at + LOOK_UP_EVERY)
        return False
    # The same text can have gone to the same number twice; this can be the other one.
    if receipt is None or (
        Message.objects.filter(carrier_id=receipt.carrier_id).exclude(pk=message.pk).exists()
    ):
        uncertain.update(due_at=None if at - since > LOOK_UP_FOR else at + LOOK_UP_EVERY)
        return False
    # The carrier gives whole seconds: a message cannot be sent before its verdict.
    sent_at = max(receipt.sent_at or since, since)
    _record_results(
        [_CarrierResult(message=message, at=sent_at, carrier=get_carrier().name, accepted=receipt)]
    )
    return True


def _mark_uncertain(message: Message, problem: str, at: datetime, *, look_at: datetime) -> None:
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="uncertain", problem=problem[:300], due_at=look_at):
        write_event(
            "outreach.message.uncertain", at=at, lead_id=message.lead_id, message=message.pk
        )


def _requeue_message(
    message: Message, problem: VendorError, pause: timedelta, at: datetime
) -> None:
    """Try again later and don't count the attempt: nothing reached the carrier."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="waiting", due_at=at + pause, problem=str(problem)[:300]):
        cancel_messages.delete_attempts([message])


def _mark_failed(message: Message, problem: RequestRejected, at: datetime) -> None:
    """Mark a message the carrier refused for good. Nobody was reached, so no attempt counts."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if not claimed.update(state="failed", due_at=None, problem=str(problem)[:300]):
        return
    cancel_messages.delete_attempts([message])
    if isinstance(problem, NoSuchNumber):
        carrier_callbacks.record_dead_number(message.to_address, at=at)
    if isinstance(problem, OptedOut):
        store_revocation.store_revocation(
            person_id=message.person_id,
            address=message.to_address,
            kind="stop",
            media=["call", "text", "voicemail"],
            words=str(problem),
            origin=f"carrier:{message.pk}",
            idempotency_key=f"carrier:{message.pk}",
            at=at,
        )
    write_event(
        "outreach.message.failed", at=at, lead_id=message.lead_id, message=message.pk,
        code=problem.code,
    )  # fmt: skip

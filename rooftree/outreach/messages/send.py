"""The only door to a borrower. Every text and e-mail passes here, behind the gate.

A message is a row with a due time. Sending is four steps, each of which may be the
last before a crash: decide and claim (committed, with the contact attempts that caps
count), decide again at hand-off, call the carrier outside any transaction, record.
Each step is taken by all messages in hand at once. A claim whose fate is unknown is
looked up at the carrier or shown to staff; it is never sent again.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db.models import Exists

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.models import Verdict
from rooftree.core.uuid7 import uuid7_at
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
from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import build_event, write_event, write_events
from rooftree.org.models import User
from rooftree.org.sending_pause import ACTIVE_PAUSE
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.media import borrower_mail
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.media.carrier_types import CarrierReceipt, NoSuchNumber, OptedOut
from rooftree.outreach.messages import (
    cancel_messages,
    lock_messages,
    message_attempts,
    number_checks,
    required_actions,
    sender_identity,
)
from rooftree.outreach.messages.message_verdicts import (
    DecidedMessage,
    decide_messages,
    load_inputs,
    redecide_messages,
)
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_footer import unsubscribe_url
from rooftree.outreach.wording.message_templates import MessageContent
from rooftree.tasks.batches import run_batch, run_concurrently

log = logging.getLogger(__name__)
QUEUED_EVENT = "outreach.message.planned"
CLAIM_LIMIT = timedelta(seconds=90)  # a carrier call ends well before; older claims were a crash
LOOK_UP_FOR = timedelta(minutes=30)  # how long an uncertain text is looked for at the carrier
LOOK_UP_EVERY = timedelta(minutes=2)
BACK_OFF = (15, 60, 300, 900, 3600)  # seconds before the next try, by attempts made


class MessageSpec(TypedDict):
    """What an automatic message is to be; without a `due_at` it is due at once."""

    lead: Lead
    medium: str
    purpose: str
    cause: str
    words: MessageContent
    to: str
    due_at: NotRequired[datetime | None]
    by: NotRequired[User]  # who typed it, where no program wrote it


def queue_message(*, at: datetime, **planned: Unpack[MessageSpec]) -> Message:
    """Put an automatic message in line. Once per cause and medium.

    It is decided when it is taken from the line, so nothing is promised here.
    """
    return queue_messages([planned], at=at)[0]


def queue_messages(planned: Sequence[MessageSpec], *, at: datetime) -> list[Message]:
    """Put messages in line; where one of the same cause and medium is there already, that one."""
    drafts = [build_message(message_spec, at) for message_spec in planned]
    for one, from_address in zip(drafts, sender_identity.from_addresses(drafts), strict=True):
        one.from_address = from_address
    with assume_role("door", savepoint=False):
        written = insert_new_rows(drafts)
    write_events(
        build_event(QUEUED_EVENT, at=at, lead_id=draft.lead_id, message=draft.pk, cause=draft.cause)
        for draft in drafts
        if draft.pk in written
    )
    return [
        draft
        if draft.pk in written
        else Message.objects.get(cause=draft.cause, medium=draft.medium)
        for draft in drafts
    ]


def build_message(planned: MessageSpec, at: datetime) -> Message:
    """The message as it would be put in line; nothing is written."""
    words = planned["words"]
    return Message(
        id=uuid7_at(at),
        cause=planned["cause"],
        medium=planned["medium"],
        lead=planned["lead"],
        person_id=planned["lead"].person_id,
        purpose=planned["purpose"],
        template=words.template,
        language=words.language,
        officer=words.officer,
        by=planned.get("by"),
        is_automated="by" not in planned,
        to_address=planned["to"],
        subject=words.subject,
        body=words.body,
        created_at=at,
        due_at=planned.get("due_at") or at,
    )


def find_due_messages(*, at: datetime, limit: int = 50) -> list[UUID]:
    """The messages to be decided now, oldest promise first; those of releases have their pace."""
    rows = Message.objects.filter(state__in=["waiting", "held"], due_at__lte=at, release=None)
    rows = rows.exclude(Exists(ACTIVE_PAUSE))
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def deliver_messages(message_ids: Iterable[UUID], *, at: datetime) -> set[UUID]:
    """Decide due messages and hand over those that may go; those that were ours to take.

    Of several to one person each is decided after the one before it, which counts for it. One
    that a bug of ours strikes is set aside and harms no other.
    """

    def aside(key: UUID, problem: Exception) -> None:
        log.error("message %s could not be sent", key, exc_info=problem)
        cancel_messages.set_message_aside(key, f"{type(problem).__name__} while working on it.", at)

    left, decided = list(message_ids), dict[UUID, DecidedMessage]()
    while taken := run_batch(lambda keys: _claim_messages(keys, at), left, on_failure=aside):
        decided |= {one.message.pk: one for one in taken}
        left = [one for one in left if one not in decided]
    claimed = {key: one for key, one in decided.items() if one.is_allowed}
    ready = run_batch(
        lambda keys: _recheck_claimed([claimed[key] for key in keys], at),
        list(claimed),
        on_failure=aside,
    )
    # All in the moment of the last look, however slow the carrier is: no STOP comes between.
    answered = {one.message.pk: one for one in run_concurrently(_hand_to_carrier, ready)}
    run_batch(
        lambda keys: _record_results([answered[key] for key in keys]), list(answered), on_failure=aside
    )
    return {*decided}


def address_for(lead: Lead, medium: str) -> str:
    """Where a text or e-mail to this lead's person goes; "" when there is nowhere."""
    if medium == "text":
        return next(
            (usable_phone.e164 for usable_phone in contact_points.usable_phones(lead.person)), ""
        )
    return next(
        (usable_email.address for usable_email in contact_points.usable_emails(lead.person)), ""
    )


def reclaim_stale_messages(*, at: datetime) -> int:
    """Messages claimed before a crash: their fate is unknown, so they are looked up or shown."""
    stale = Message.objects.filter(state="claimed", claimed_at__lt=at - CLAIM_LIMIT)
    with assume_role("door"):
        rows = list(stale.select_for_update(skip_locked=True))
        for message in rows:
            _mark_uncertain(message, "The program stopped mid-way.", at, look_at=at)
    return len(rows)


def reconcile_uncertain_texts(*, at: datetime, limit: int = 50) -> int:
    """Ask the carrier for texts of unknown fate; how many were settled.

    Never sends. One that the carrier has said for half an hour not to know stays
    uncertain for good, shown to staff, who may write to the borrower themselves.
    """
    unknown = Message.objects.filter(state="uncertain", medium="text", due_at__lte=at)
    return sum(_reconcile_text(one, at) for one in unknown.order_by("due_at")[:limit])


def _claim_messages(message_ids: Sequence[UUID], at: datetime) -> list[DecidedMessage]:
    with assume_role("door"):
        found = load_inputs(lock_messages.lock_due_messages(message_ids, at=at), at=at)
        sender_identity.sign_as_current_owners(found, at=at)
        decided = decide_messages(found, stage="dequeued")
        _store_decisions(decided, at)
    return decided


def _store_decisions(decided: Sequence[DecidedMessage], at: datetime) -> None:
    """Write each verdict's consequence on its message, and the attempts of those that may go."""
    for one in decided:
        _apply_verdict(one.message, one.verdict, at)
    stopped = [decided_message for decided_message in decided if not decided_message.is_allowed]
    message_attempts.record_attempts(
        [decided_message.message for decided_message in decided if decided_message.is_allowed], at
    )
    for one in stopped:
        if number_checks.request_missing_checks(one.verdict, at=at):
            one.message.state, one.message.due_at = "held", at + number_checks.RECHECK_AFTER
        elif one.message.state == "review":
            required_actions.create_task(one.verdict, one.message.lead, at=at)
    write_events(
        build_event(
            f"outreach.message.{one.message.state}",
            at=at,
            lead_id=one.message.lead_id,
            message=one.message.pk,
            verdict=one.verdict.pk,
            reason=one.verdict.reason,
        )
        for one in stopped
    )
    changed = ("id", "verdict_id", "ending", "state", "claimed_at", "attempts", "problem", "due_at")
    rows = [
        {name: getattr(decided_message.message, name) for name in changed}
        for decided_message in decided
    ]
    update_each(Message, rows)


def _apply_verdict(message: Message, verdict: Verdict, at: datetime) -> None:
    message.verdict = verdict
    if verdict.decision == Decision.ALLOW:
        message.state, message.claimed_at = "claimed", at
        message.attempts += 1
        return
    message.state = {"defer": "held", "require": "review"}.get(verdict.decision, "blocked")
    message.problem = verdict.sentence[:300]
    message.due_at = verdict.next_allowed_at if message.state == "held" else None


def _recheck_claimed(claimed: Sequence[DecidedMessage], at: datetime) -> list[DecidedMessage]:
    """The last look before the carrier, as a STOP may have come since: those that still may go."""
    with assume_role("door"):
        mine = lock_messages.lock_still_claimed(
            (decided_message.message.pk for decided_message in claimed), at=at
        )
        now = redecide_messages(
            [decided_message for decided_message in claimed if decided_message.message.pk in mine],
            stage="handoff",
            at=at,
        )
        allowed = [redecide_message for redecide_message in now if redecide_message.is_allowed]
        stopped = [redecide_message for redecide_message in now if not redecide_message.is_allowed]
        for one in allowed:
            one.message.verdict, one.message.claimed_at = one.verdict, one.verdict.at
        changed = ("id", "verdict_id", "claimed_at")
        rows = [{name: getattr(one.message, name) for name in changed} for one in allowed]
        update_each(Message, rows)
        if stopped:
            message_attempts.delete_attempts([one.message for one in stopped])
            _store_decisions(stopped, at)
    return allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class _CarrierResult:
    """What the carrier, or what became of calling it, says of one message."""

    message: Message
    at: datetime
    carrier: str = ""
    accepted: CarrierReceipt | None = None
    problem: Exception | None = None


def _hand_to_carrier(ready: DecidedMessage) -> _CarrierResult:
    message, at = ready.message, ready.verdict.at
    try:
        carrier, accepted = _call_carrier(message)
    except Exception as problem:  # a bug here, too, must not harm those already handed over
        return _CarrierResult(message=message, at=at, problem=problem)
    return _CarrierResult(message=message, at=at, carrier=carrier, accepted=accepted)


def _record_results(answered: Sequence[_CarrierResult]) -> Sequence[_CarrierResult]:
    with assume_role("door"):
        _record_sent([carrier_result for carrier_result in answered if carrier_result.accepted])
        for carrier_result in answered:
            if carrier_result.problem:
                _handle_failure(carrier_result.message, carrier_result.problem, carrier_result.at)
    return answered


def _handle_failure(message: Message, problem: Exception, at: datetime) -> None:
    match problem:
        case RetryLater():
            _requeue_message(message, problem, retry_delay(problem, message.attempts, BACK_OFF), at)
        case Misconfigured():  # ours to mend in Set-up; nobody is forgotten
            _requeue_message(message, problem, cancel_messages.RETRY_AFTER, at)
        case RequestRejected():
            _mark_failed(message, problem, at)
        case OutcomeUnknown():
            _mark_uncertain(message, str(problem), at, look_at=at + timedelta(minutes=1))
        case _:
            raise problem


def _call_carrier(message: Message) -> tuple[str, CarrierReceipt]:
    if message.medium == "email":
        letter = borrower_mail.OutboundEmail(
            to=message.to_address,
            sender=message.from_address,
            subject=message.subject,
            body=message.full_text,
            reference=str(message.pk),
            unsubscribe_url=unsubscribe_url(message),
            reply_to=sender_identity.reply_address(message),
        )
        return "mail", CarrierReceipt(carrier_id=borrower_mail.send_email(letter))
    carrier = get_carrier()
    accepted = carrier.send_text(
        to=message.to_address,
        sender=message.from_address,
        body=message.full_text,
        status_callback=f"{settings.PUBLIC_URL}/in/twilio/status/{message.pk}/",
        reference=str(message.pk),
    )
    return carrier.name, accepted


def _record_sent(answered: Sequence[_CarrierResult]) -> None:
    """The carrier has them. A callback may overtake its answer: what that says is kept anyhow."""
    said: list[dict[str, Any]] = [
        {
            "id": carrier_result.message.pk,
            "carrier": carrier_result.carrier,
            "carrier_id": carrier_result.accepted.carrier_id,
            "segments": carrier_result.accepted.segments,
        }
        for carrier_result in answered
        if carrier_result.accepted
    ]
    sent = [
        told | {"state": "sent", "sent_at": one.at, "due_at": None, "problem": ""}
        for told, one in zip(said, answered, strict=True)
    ]
    news = update_each(Message, sent, where={"state": ["claimed", "uncertain"]})
    update_each(Message, [told for told in said if told["id"] not in news])
    write_events(
        build_event(
            "outreach.message.sent", at=carrier_result.at, lead_id=of.lead_id, message=of.pk
        )
        for carrier_result in answered
        if (of := carrier_result.message).pk in news
    )
    first = {carrier_result.message.lead_id: carrier_result.at for carrier_result in answered}
    rows = [{"id": key, "first_message_at": at} for key, at in first.items()]
    update_each(Lead, rows, where={"first_message_at": None})


def _reconcile_text(message: Message, at: datetime) -> bool:
    since = message.claimed_at or message.created_at
    still = Message.objects.filter(pk=message.pk, state="uncertain")
    try:
        found = get_carrier().find_text(
            to=message.to_address, sender=message.from_address, body=message.full_text, since=since
        )
    except VendorError:
        still.update(due_at=at + LOOK_UP_EVERY)
        return False
    if found is None or _is_of_another_message(found, message):
        still.update(due_at=None if at - since > LOOK_UP_FOR else at + LOOK_UP_EVERY)
        return False
    # The carrier gives whole seconds: what was sent cannot be older than its verdict.
    sent_at = max(found.sent_at or since, since)
    _record_results(
        [_CarrierResult(message=message, at=sent_at, carrier=get_carrier().name, accepted=found)]
    )
    return True


def _is_of_another_message(found: CarrierReceipt, message: Message) -> bool:
    """The same words went to the same number twice, and this is the other one."""
    same = Message.objects.filter(carrier_id=found.carrier_id).exclude(pk=message.pk)
    return same.exists()


def _mark_uncertain(message: Message, problem: str, at: datetime, *, look_at: datetime) -> None:
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="uncertain", problem=problem[:300], due_at=look_at):
        write_event(
            "outreach.message.uncertain", at=at, lead_id=message.lead_id, message=message.pk
        )


def _requeue_message(
    message: Message, problem: VendorError, pause: timedelta, at: datetime
) -> None:
    """Nothing was handed over: try again later, and do not count the attempt."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="waiting", due_at=at + pause, problem=str(problem)[:300]):
        message_attempts.delete_attempts([message])


def _mark_failed(message: Message, problem: RequestRejected, at: datetime) -> None:
    """Refused for good: nobody was reached, so no attempt is counted."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if not claimed.update(state="failed", due_at=None, problem=str(problem)[:300]):
        return
    message_attempts.delete_attempts([message])
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

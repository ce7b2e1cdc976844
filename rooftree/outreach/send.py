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

from rooftree.compliance import revoke
from rooftree.compliance.models import Verdict
from rooftree.compliance.verdict import Decision
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, Uncertain, pause_after
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import reach
from rooftree.leads.models import Lead
from rooftree.ledger.write import event, write, write_all
from rooftree.org.change import change_each
from rooftree.org.insert import insert_all_once
from rooftree.org.models import User
from rooftree.org.pause import PAUSED
from rooftree.outreach import attempt, callbacks, duties, held, number_checks, sender, take_back
from rooftree.outreach.decide import Decided, decide, decide_again, on_file
from rooftree.outreach.letter import unsubscribe_url
from rooftree.outreach.media import mail
from rooftree.outreach.media.line import line
from rooftree.outreach.media.shapes import Accepted, NoSuchNumber, OptedOut
from rooftree.outreach.models import Message
from rooftree.outreach.wording import Words
from rooftree.tasks.postgresql.right import right
from rooftree.tasks.together import at_once, together

log = logging.getLogger(__name__)
LINED_UP = "outreach.message.planned"
CLAIM_LIMIT = timedelta(seconds=90)  # a carrier call ends well before; older claims were a crash
LOOK_UP_FOR = timedelta(minutes=30)  # how long an uncertain text is looked for at the carrier
LOOK_EVERY = timedelta(minutes=2)
BACK_OFF = (15, 60, 300, 900, 3600)  # seconds before the next try, by attempts made


class Planned(TypedDict):
    """What an automatic message is to be; without a `due_at` it is due at once."""

    lead: Lead
    medium: str
    purpose: str
    cause: str
    words: Words
    to: str
    due_at: NotRequired[datetime | None]
    by: NotRequired[User]  # who typed it, where no program wrote it


def plan(*, at: datetime, **planned: Unpack[Planned]) -> Message:
    """Put an automatic message in line. Once per cause and medium.

    It is decided when it is taken from the line, so nothing is promised here.
    """
    return plan_all([planned], at=at)[0]


def plan_all(planned: Sequence[Planned], *, at: datetime) -> list[Message]:
    """Put messages in line; where one of the same cause and medium is there already, that one."""
    drafts = [draft(one, at) for one in planned]
    for one, from_address in zip(drafts, sender.addresses_for(drafts), strict=True):
        one.from_address = from_address
    with right("door", savepoint=False):
        written = insert_all_once(drafts)
    write_all(
        event(LINED_UP, at=at, lead_id=one.lead_id, message=one.pk, cause=one.cause)
        for one in drafts
        if one.pk in written
    )
    return [
        one if one.pk in written else Message.objects.get(cause=one.cause, medium=one.medium)
        for one in drafts
    ]


def draft(planned: Planned, at: datetime) -> Message:
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


def due(*, at: datetime, limit: int = 50) -> list[UUID]:
    """The messages to be decided now, oldest promise first; those of releases have their pace."""
    rows = Message.objects.filter(state__in=["waiting", "held"], due_at__lte=at, release=None)
    rows = rows.exclude(Exists(PAUSED))
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def deliver(message_ids: Iterable[UUID], *, at: datetime) -> set[UUID]:
    """Decide due messages and hand over those that may go; those that were ours to take.

    Of several to one person each is decided after the one before it, which counts for it. One
    that a bug of ours strikes is set aside and harms no other.
    """

    def aside(key: UUID, problem: Exception) -> None:
        log.error("message %s could not be sent", key, exc_info=problem)
        take_back.set_aside(key, f"{type(problem).__name__} while working on it.", at)

    left, decided = list(message_ids), dict[UUID, Decided]()
    while taken := together(lambda keys: _claim(keys, at), left, aside=aside):
        decided |= {one.message.pk: one for one in taken}
        left = [one for one in left if one not in decided]
    claimed = {key: one for key, one in decided.items() if one.is_allowed}
    ready = together(
        lambda keys: _look_again([claimed[key] for key in keys], at), list(claimed), aside=aside
    )
    # All in the moment of the last look, however slow the carrier is: no STOP comes between.
    answered = {one.message.pk: one for one in at_once(_hand_over, ready)}
    together(lambda keys: _record([answered[key] for key in keys]), list(answered), aside=aside)
    return {*decided}


def address_for(lead: Lead, medium: str) -> str:
    """Where a text or e-mail to this lead's person goes; "" when there is nowhere."""
    if medium == "text":
        return next((one.e164 for one in reach.numbers(lead.person)), "")
    return next((one.address for one in reach.addresses(lead.person)), "")


def reclaim(*, at: datetime) -> int:
    """Messages claimed before a crash: their fate is unknown, so they are looked up or shown."""
    stale = Message.objects.filter(state="claimed", claimed_at__lt=at - CLAIM_LIMIT)
    with right("door"):
        rows = list(stale.select_for_update(skip_locked=True))
        for message in rows:
            _doubt(message, "The program stopped mid-way.", at, look_at=at)
    return len(rows)


def look_up(*, at: datetime, limit: int = 50) -> int:
    """Ask the carrier for texts of unknown fate; how many were settled.

    Never sends. One that the carrier has said for half an hour not to know stays
    uncertain for good, shown to staff, who may write to the borrower themselves.
    """
    unknown = Message.objects.filter(state="uncertain", medium="text", due_at__lte=at)
    return sum(_reconcile(one, at) for one in unknown.order_by("due_at")[:limit])


def _claim(message_ids: Sequence[UUID], at: datetime) -> list[Decided]:
    with right("door"):
        found = on_file(held.due(message_ids, at=at), at=at)
        sender.sign_for_owners(found, at=at)
        decided = decide(found, stage="dequeued")
        _settle(decided, at)
    return decided


def _settle(decided: Sequence[Decided], at: datetime) -> None:
    """Write each verdict's consequence on its message, and the attempts of those that may go."""
    for one in decided:
        _move(one.message, one.verdict, at)
    stopped = [one for one in decided if not one.is_allowed]
    attempt.count([one.message for one in decided if one.is_allowed], at)
    for one in stopped:
        if number_checks.waits(one.verdict, at=at):
            one.message.state, one.message.due_at = "held", at + number_checks.LOOK_AGAIN
        elif one.message.state == "review":
            duties.ask(one.verdict, one.message.lead, at=at)
    write_all(
        event(
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
    rows = [{name: getattr(one.message, name) for name in changed} for one in decided]
    change_each(Message, rows)


def _move(message: Message, verdict: Verdict, at: datetime) -> None:
    message.verdict = verdict
    if verdict.decision == Decision.ALLOW:
        message.state, message.claimed_at = "claimed", at
        message.attempts += 1
        return
    message.state = {"defer": "held", "require": "review"}.get(verdict.decision, "blocked")
    message.problem = verdict.sentence[:300]
    message.due_at = verdict.next_allowed_at if message.state == "held" else None


def _look_again(claimed: Sequence[Decided], at: datetime) -> list[Decided]:
    """The last look before the carrier, as a STOP may have come since: those that still may go."""
    with right("door"):
        mine = held.still_claimed((one.message.pk for one in claimed), at=at)
        now = decide_again(
            [one for one in claimed if one.message.pk in mine], stage="handoff", at=at
        )
        allowed = [one for one in now if one.is_allowed]
        stopped = [one for one in now if not one.is_allowed]
        for one in allowed:
            one.message.verdict, one.message.claimed_at = one.verdict, one.verdict.at
        changed = ("id", "verdict_id", "claimed_at")
        rows = [{name: getattr(one.message, name) for name in changed} for one in allowed]
        change_each(Message, rows)
        if stopped:
            attempt.uncount([one.message for one in stopped])
            _settle(stopped, at)
    return allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What the carrier, or what became of calling it, says of one message."""

    message: Message
    at: datetime
    carrier: str = ""
    accepted: Accepted | None = None
    problem: Exception | None = None


def _hand_over(ready: Decided) -> _Answered:
    message, at = ready.message, ready.verdict.at
    try:
        carrier, accepted = _call_carrier(message)
    except Exception as problem:  # a bug here, too, must not harm those already handed over
        return _Answered(message=message, at=at, problem=problem)
    return _Answered(message=message, at=at, carrier=carrier, accepted=accepted)


def _record(answered: Sequence[_Answered]) -> Sequence[_Answered]:
    with right("door"):
        _sent([one for one in answered if one.accepted])
        for one in answered:
            if one.problem:
                _not_sent(one.message, one.problem, one.at)
    return answered


def _not_sent(message: Message, problem: Exception, at: datetime) -> None:
    match problem:
        case TryLater():
            _wait(message, problem, pause_after(problem, message.attempts, BACK_OFF), at)
        case Misconfigured():  # ours to mend in Set-up; nobody is forgotten
            _wait(message, problem, take_back.MEND_WITHIN, at)
        case Refused():
            _fail(message, problem, at)
        case Uncertain():
            _doubt(message, str(problem), at, look_at=at + timedelta(minutes=1))
        case _:
            raise problem


def _call_carrier(message: Message) -> tuple[str, Accepted]:
    if message.medium == "email":
        letter = mail.Letter(
            to=message.to_address,
            sender=message.from_address,
            subject=message.subject,
            body=message.words,
            reference=str(message.pk),
            unsubscribe_url=unsubscribe_url(message),
            reply_to=sender.reply_address(message),
        )
        return "mail", Accepted(carrier_id=mail.send(letter))
    carrier = line()
    accepted = carrier.send_text(
        to=message.to_address,
        sender=message.from_address,
        body=message.words,
        status_callback=f"{settings.PUBLIC_URL}/in/twilio/status/{message.pk}/",
        reference=str(message.pk),
    )
    return carrier.name, accepted


def _sent(answered: Sequence[_Answered]) -> None:
    """The carrier has them. A callback may overtake its answer: what that says is kept anyhow."""
    said: list[dict[str, Any]] = [
        {
            "id": one.message.pk,
            "carrier": one.carrier,
            "carrier_id": one.accepted.carrier_id,
            "segments": one.accepted.segments,
        }
        for one in answered
        if one.accepted
    ]
    sent = [
        told | {"state": "sent", "sent_at": one.at, "due_at": None, "problem": ""}
        for told, one in zip(said, answered, strict=True)
    ]
    news = change_each(Message, sent, where={"state": ["claimed", "uncertain"]})
    change_each(Message, [told for told in said if told["id"] not in news])
    write_all(
        event("outreach.message.sent", at=one.at, lead_id=of.lead_id, message=of.pk)
        for one in answered
        if (of := one.message).pk in news
    )
    first = {one.message.lead_id: one.at for one in answered}
    rows = [{"id": key, "first_message_at": at} for key, at in first.items()]
    change_each(Lead, rows, where={"first_message_at": None})


def _reconcile(message: Message, at: datetime) -> bool:
    since = message.claimed_at or message.created_at
    still = Message.objects.filter(pk=message.pk, state="uncertain")
    try:
        found = line().find_text(
            to=message.to_address, sender=message.from_address, body=message.words, since=since
        )
    except Failure:
        still.update(due_at=at + LOOK_EVERY)
        return False
    if found is None or _is_anothers(found, message):
        still.update(due_at=None if at - since > LOOK_UP_FOR else at + LOOK_EVERY)
        return False
    # The carrier gives whole seconds: what was sent cannot be older than its verdict.
    sent_at = max(found.sent_at or since, since)
    _record([_Answered(message=message, at=sent_at, carrier=line().name, accepted=found)])
    return True


def _is_anothers(found: Accepted, message: Message) -> bool:
    """The same words went to the same number twice, and this is the other one."""
    same = Message.objects.filter(carrier_id=found.carrier_id).exclude(pk=message.pk)
    return same.exists()


def _doubt(message: Message, problem: str, at: datetime, *, look_at: datetime) -> None:
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="uncertain", problem=problem[:300], due_at=look_at):
        write("outreach.message.uncertain", at=at, lead_id=message.lead_id, message=message.pk)


def _wait(message: Message, problem: Failure, pause: timedelta, at: datetime) -> None:
    """Nothing was handed over: try again later, and do not count the attempt."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if claimed.update(state="waiting", due_at=at + pause, problem=str(problem)[:300]):
        attempt.uncount([message])


def _fail(message: Message, problem: Refused, at: datetime) -> None:
    """Refused for good: nobody was reached, so no attempt is counted."""
    claimed = Message.objects.filter(pk=message.pk, state="claimed")
    if not claimed.update(state="failed", due_at=None, problem=str(problem)[:300]):
        return
    attempt.uncount([message])
    if isinstance(problem, NoSuchNumber):
        callbacks.record_dead(message.to_address, at=at)
    if isinstance(problem, OptedOut):
        revoke.record(
            person_id=message.person_id,
            address=message.to_address,
            kind="stop",
            media=["call", "text", "voicemail"],
            words=str(problem),
            origin=f"carrier:{message.pk}",
            cause=f"carrier:{message.pk}",
            at=at,
        )
    write(
        "outreach.message.failed", at=at, lead_id=message.lead_id, message=message.pk,
        code=problem.code,
    )  # fmt: skip

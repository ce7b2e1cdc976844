"""The only door to a borrower. Every text and e-mail passes here, behind the gate.

A message is a row with a due time. Sending it is four steps, each of which may
be the last before a crash: decide and claim (committed, with the contact
attempt that caps count), decide again at hand-off, call the carrier outside any
transaction, record. A claim whose fate is unknown is looked up at the carrier or
shown to staff; it is never sent again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Q

from rooftree.compliance import revoke
from rooftree.compliance.models import Verdict
from rooftree.compliance.verdict import Decision
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, Uncertain
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write import write
from rooftree.org.change import change
from rooftree.org.insert import insert_once
from rooftree.org.models import Company, LoanOfficer
from rooftree.org.pause import PAUSED
from rooftree.outreach import attempt, duties, held, sender
from rooftree.outreach.decide import OnFile, decide, looked_at_again, on_file
from rooftree.outreach.letter import footer, unsubscribe_url
from rooftree.outreach.media import mail
from rooftree.outreach.media.line import line
from rooftree.outreach.media.shapes import Accepted, OptedOut
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import Rendered

CLAIM_LIMIT = timedelta(seconds=90)  # a carrier call ends well before; older claims were a crash
LOOK_UP_FOR = timedelta(minutes=30)  # how long an uncertain text is looked for at the carrier
LOOK_EVERY = timedelta(minutes=2)
MEND_WITHIN = timedelta(minutes=15)  # when a setting or a program of ours is wrong
TRIES = 5  # of a message that strikes a bug of ours; then a person looks
BACK_OFF = (15, 60, 300, 900, 3600)  # seconds before the next try, by attempts made
OVERTAKEN = ("touch:", "step:")  # the first hello and the steps of sequences


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a message says and in whose name."""

    body: str
    subject: str = ""
    language: str = "en"
    template: Template | None = None
    officer: LoanOfficer | None = None

    @classmethod
    def of(cls, rendered: Rendered, officer: LoanOfficer | None) -> "Words":
        return cls(
            body=rendered.body,
            subject=rendered.subject,
            language=rendered.template.language,
            template=rendered.template,
            officer=officer,
        )


def plan(  # noqa: PLR0913
    *,
    lead: Lead,
    medium: str,
    purpose: str,
    cause: str,
    words: Words,
    to: str,
    at: datetime,
    due_at: datetime | None = None,
) -> Message:
    """Put an automatic message in line, due now or at `due_at`. Once per cause and medium.

    It is decided when it is taken from the line, so nothing is promised here.
    """
    message = Message(
        id=uuid7_at(at),
        cause=cause,
        medium=medium,
        lead=lead,
        person_id=lead.person_id,
        purpose=purpose,
        template=words.template,
        language=words.language,
        officer=words.officer,
        to_address=to,
        from_address=_sender(medium, to, words.officer),
        subject=words.subject,
        body=words.body,
        created_at=at,
        due_at=due_at or at,
    )
    if not insert_once(message):
        return Message.objects.get(cause=cause, medium=medium)
    write("outreach.message.planned", at=at, lead_id=lead.pk, message=message.pk, cause=cause)
    return message


def due(*, at: datetime, limit: int = 50) -> list[UUID]:
    """The messages to be decided now, oldest promise first."""
    rows = Message.objects.filter(state__in=["waiting", "held"], due_at__lte=at)
    rows = rows.exclude(Exists(PAUSED))
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def deliver(*, message_id: UUID, at: datetime) -> bool:
    """Decide one due message and hand it over if it may go. False when it was not ours to take."""
    claimed = _claim(message_id, at)
    if claimed is None:
        return False
    message, found = claimed
    if message.state == "claimed":
        _hand_over(message, found, at)
    return True


def set_aside(*, message_id: UUID, problem: str, at: datetime) -> None:
    """Put a message that a bug of ours struck out of the way of the others.

    One that may be at the carrier is of unknown fate; another waits, and is a
    person's to look at when it strikes again and again.
    """
    mine = Message.objects.filter(pk=message_id)
    with transaction.atomic():
        if mine.filter(state="claimed").update(state="uncertain", due_at=at, problem=problem):
            return
        waiting = mine.filter(state__in=["waiting", "held"])
        waiting.update(attempts=F("attempts") + 1, due_at=at + MEND_WITHIN, problem=problem)
        if waiting.filter(attempts__gt=TRIES).update(state="review", due_at=None):
            message = mine.get()
            write("outreach.message.review", at=at, lead_id=message.lead_id, message=message.pk)


def address_for(lead: Lead, medium: str) -> str:
    """Where a text or e-mail to this lead's person goes; "" when there is nowhere."""
    if medium == "text":
        numbers = lead.person.phones.filter(unlinked_at=None).order_by("-is_primary", "given_at")
        return next((one.e164 for one in numbers), "")
    mails = lead.person.emails.filter(bounced_at=None).order_by("-is_primary", "given_at")
    return next((one.address for one in mails), "")


def cancel_waiting(
    *, lead_id: UUID, because: str, at: datetime, causes: tuple[str, ...] = OVERTAKEN
) -> int:
    """Take back automatic messages that something overtook before they were handed over; how many.

    Args:
        causes: how the causes of those begin. By default what was to win the
            borrower's ear; not news about their loan, a rate they wait for, or
            the answer to their own STOP or HELP.
    """
    begins = reduce(or_, (Q(cause__startswith=one) for one in causes))
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
            write(
                "outreach.messages.cancelled",
                at=at,
                lead_id=lead_id,
                count=count,
                because=because,
            )
    return count


def reclaim(*, at: datetime) -> int:
    """Messages claimed before a crash: their fate is unknown, so they are looked up or shown."""
    stale = Message.objects.filter(state="claimed", claimed_at__lt=at - CLAIM_LIMIT)
    with transaction.atomic():
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


def _claim(message_id: UUID, at: datetime) -> tuple[Message, OnFile] | None:
    with transaction.atomic():
        message = held.DUE.first(key=message_id, at=at)
        if message is None:
            return None
        # One decision a person at a time: two at once would each miss the other's attempt.
        held.PERSON.one(key=message.person_id)
        found = on_file(message, at=at)
        settle(message, decide(message, found, stage="dequeued"), at)
    return message, found


def settle(message: Message, verdict: Verdict, at: datetime) -> None:
    """Write the verdict's consequence on the message, and the attempt if it may go."""
    message.verdict = verdict
    if verdict.decision == Decision.ALLOW:
        message.state, message.claimed_at = "claimed", at
        message.attempts += 1
        attempt.count(message, at)
    else:
        message.state = {"defer": "held", "require": "review"}.get(verdict.decision, "blocked")
        message.problem = verdict.sentence[:300]
        message.due_at = verdict.next_allowed_at if message.state == "held" else None
        if message.state == "review":
            duties.ask(verdict, message.lead, at=at)
        write(
            f"outreach.message.{message.state}",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            verdict=verdict.pk,
            reason=verdict.reason,
        )
    changed = ("verdict_id", "state", "claimed_at", "attempts", "problem", "due_at")
    change(Message, where={"id": message.pk}, to={one: getattr(message, one) for one in changed})


def _still_allowed(message: Message, now: OnFile) -> bool:
    """Whether it may go by what is on file now; if not, the verdict's consequence is written."""
    at = now.known.at
    verdict = decide(message, now, stage="handoff")
    if verdict.decision == Decision.ALLOW:
        now_so = {"verdict_id": verdict.pk, "claimed_at": at}
        change(Message, where={"id": message.pk}, to=now_so)
        message.claimed_at = at
        return True
    attempt.uncount(message)
    settle(message, verdict, at)
    return False


def _hand_over(message: Message, found: OnFile, at: datetime) -> None:
    with transaction.atomic():  # the last look before the carrier: a STOP may have come since
        held.MESSAGE.one(key=message.pk)
        now = looked_at_again(found, at=at)
        is_allowed = _still_allowed(message, now)
    if is_allowed:
        _give_to_carrier(message, now.company, now.known.at)


def _give_to_carrier(message: Message, company: Company, at: datetime) -> None:
    try:
        carrier, accepted = _call_carrier(message, company)
    except TryLater as problem:
        pause = problem.after or BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1]
        _wait(message, problem, timedelta(seconds=pause), at)
    except Misconfigured as problem:
        _wait(message, problem, MEND_WITHIN, at)  # ours to mend in Set-up; nobody is forgotten
    except Refused as problem:
        _fail(message, problem, at)
    except Uncertain as problem:
        with transaction.atomic():
            _doubt(message, str(problem), at, look_at=at + timedelta(minutes=1))
    else:
        _sent(message, carrier, accepted, at)


def _call_carrier(message: Message, company: Company) -> tuple[str, Accepted]:
    if message.medium == "email":
        letter = mail.Letter(
            to=message.to_address,
            sender=message.from_address,
            subject=message.subject,
            body=message.body + footer(message, company),
            reference=str(message.pk),
            unsubscribe_url=unsubscribe_url(message),
            reply_to=sender.reply_address(message),
        )
        return "mail", Accepted(carrier_id=mail.send(letter))
    carrier = line()
    accepted = carrier.send_text(
        to=message.to_address,
        sender=message.from_address,
        body=message.body,
        status_callback=f"{settings.PUBLIC_URL}/in/twilio/status/{message.pk}/",
        reference=str(message.pk),
    )
    return carrier.name, accepted


def _sender(medium: str, to: str, officer: LoanOfficer | None) -> str:
    """The number or address the borrower sees, the same for the whole conversation."""
    if medium == "email":
        return sender.mailbox_for(officer)
    return sender.number_for(to=to, officer=officer)


def _sent(message: Message, carrier: str, accepted: Accepted, sent_at: datetime) -> bool:
    """The carrier has it; False when its callback has told us so already.

    A callback may overtake the carrier's own answer, so what only the answer
    says is written down whatever the state.
    """
    with transaction.atomic():
        told = {
            "carrier": carrier,
            "carrier_id": accepted.carrier_id,
            "segments": accepted.segments,
        }
        is_news = change(
            Message,
            where={"id": message.pk, "state": ["claimed", "uncertain"]},
            to={"state": "sent", "sent_at": sent_at, "due_at": None, "problem": "", **told},
        )
        if is_news:
            write("outreach.message.sent", at=sent_at, lead_id=message.lead_id, message=message.pk)
        else:
            change(Message, where={"id": message.pk}, to=told)
        first = {"id": message.lead_id, "first_message_at": None}
        change(Lead, where=first, to={"first_message_at": sent_at})
    return bool(is_news)


def _reconcile(message: Message, at: datetime) -> bool:
    since = message.claimed_at or message.created_at
    still = Message.objects.filter(pk=message.pk, state="uncertain")
    try:
        found = line().find_text(
            to=message.to_address, sender=message.from_address, body=message.body, since=since
        )
    except Failure:
        still.update(due_at=at + LOOK_EVERY)
        return False
    if found is None or _is_anothers(found, message):
        still.update(due_at=None if at - since > LOOK_UP_FOR else at + LOOK_EVERY)
        return False
    # The carrier gives whole seconds: what was sent cannot be older than its verdict.
    return _sent(message, line().name, found, max(found.sent_at or since, since))


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
    with transaction.atomic():
        claimed = Message.objects.filter(pk=message.pk, state="claimed")
        if claimed.update(state="waiting", due_at=at + pause, problem=str(problem)[:300]):
            attempt.uncount(message)


def _fail(message: Message, problem: Refused, at: datetime) -> None:
    """Refused for good: nobody was reached, so no attempt is counted."""
    with transaction.atomic():
        claimed = Message.objects.filter(pk=message.pk, state="claimed")
        if not claimed.update(state="failed", due_at=None, problem=str(problem)[:300]):
            return
        attempt.uncount(message)
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
            "outreach.message.failed",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            code=problem.code,
        )

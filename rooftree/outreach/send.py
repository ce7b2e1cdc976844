"""The only door to a borrower. Every text and e-mail passes here, behind the gate.

A message is a row with a due time. Sending it is four steps, each of which may
be the last before a crash: decide and claim (committed, with the contact
attempt that caps count), decide again at hand-off, call the carrier outside any
transaction, record. A claim whose fate is unknown is looked up at the carrier or
shown to staff; it is never sent again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import Signer
from django.db import transaction

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Medium, Purpose
from rooftree.compliance.models import Revocation, Verdict
from rooftree.compliance.verdict import Decision
from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, Uncertain
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.ledger.write import write
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts import Outgoing, gather
from rooftree.outreach.media import mail
from rooftree.outreach.media.line import line, our_number
from rooftree.outreach.models import Message, Template
from rooftree.outreach.wording import Rendered

CLAIM_LIMIT = timedelta(seconds=90)  # a carrier call ends well before; older claims were a crash
LOOK_UP_FOR = timedelta(minutes=30)  # how long an uncertain text is looked for at the carrier
BACK_OFF = (15, 60, 300, 900, 3600)  # seconds before the next try, by attempts made
MEDIA = {"text": Medium.TEXT, "email": Medium.EMAIL}


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
    message, is_new = Message.objects.get_or_create(
        cause=cause,
        medium=medium,
        defaults={
            "id": uuid7_at(at),
            "lead": lead,
            "person_id": lead.person_id,
            "purpose": purpose,
            "template": words.template,
            "language": words.language,
            "officer": words.officer,
            "to_address": to,
            "from_address": _sender(medium, words.officer),
            "subject": words.subject,
            "body": words.body,
            "created_at": at,
            "due_at": due_at or at,
        },
    )
    if is_new:
        write("outreach.message.planned", at=at, lead_id=lead.pk, message=message.pk, cause=cause)
    return message


def send_due(*, at: datetime, limit: int = 50) -> int:
    """Send or settle what is due, oldest first; how many were handled."""
    ids = list(
        Message.objects.filter(state__in=["waiting", "held"], due_at__lte=at)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )
    return sum(deliver(message_id=one, at=at) for one in ids)


def deliver(*, message_id: UUID, at: datetime) -> bool:
    """Decide one due message and hand it over if it may go. False when it was not ours to take."""
    message = _claim(message_id, at)
    if message is None:
        return False
    if message.state == "claimed" and _still_allowed(message, at):
        _hand_over(message, at)
    return True


def decide(message: Message, *, stage: str, at: datetime) -> Verdict:
    """Ask the gate about one message and keep its verdict."""
    lead = (
        Lead.objects.select_related("person", "source")
        .prefetch_related("person__phones")
        .get(pk=message.lead_id)
    )
    facts = gather(_outgoing(message), lead=lead, company=Company.objects.get(), at=at)
    verdict = gate.decide(facts)
    return store_verdict.store(
        verdict, facts, lead=lead, cause=f"message:{message.pk}", stage=stage, at=at
    )


def address_for(lead: Lead, medium: str) -> str:
    """Where a text or e-mail to this lead's person goes; "" when there is nowhere."""
    if medium == "text":
        numbers = lead.person.phones.filter(unlinked_at=None).order_by("-is_primary", "given_at")
        return next((one.e164 for one in numbers), "")
    mails = lead.person.emails.filter(bounced_at=None).order_by("-is_primary", "given_at")
    return next((one.address for one in mails), "")


def cancel_waiting(*, lead_id: UUID, because: str, at: datetime) -> int:
    """Take back what was in line for a lead and has not been handed over; how many."""
    waiting = Message.objects.filter(
        lead_id=lead_id, direction="out", is_automated=True, state__in=["waiting", "held", "review"]
    )
    count = waiting.update(state="cancelled", problem=because, due_at=None)
    if count:
        write("outreach.messages.cancelled", at=at, lead_id=lead_id, count=count, because=because)
    return count


def unsubscribe_url(message: Message) -> str:
    """The address that ends e-mail to this person: signed, without a sign-in, for ever."""
    token = Signer(salt="unsubscribe").sign(str(message.pk))
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}/"


def reclaim(*, at: datetime) -> int:
    """Messages claimed before a crash: their fate is unknown, so they are looked up or shown."""
    stale = Message.objects.filter(state="claimed", claimed_at__lt=at - CLAIM_LIMIT)
    return stale.update(state="uncertain", due_at=at, problem="The program stopped mid-way.")


def look_up(*, at: datetime, limit: int = 50) -> int:
    """Ask the carrier for texts of unknown fate; how many were settled.

    Never sends. One not found within half an hour stays uncertain for good,
    shown to staff, who may write to the borrower themselves.
    """
    settled = 0
    unknown = Message.objects.filter(state="uncertain", medium="text", due_at__lte=at)[:limit]
    for message in unknown:
        try:
            found = line().find_text(
                to=message.to_address,
                sender=message.from_address,
                body=message.body,
                since=message.claimed_at or message.created_at,
            )
        except Failure:
            found = None
        still = Message.objects.filter(pk=message.pk, state="uncertain")
        if found:
            settled += still.update(
                state="sent",
                carrier=line().name,
                carrier_id=found.carrier_id,
                sent_at=found.sent_at or message.claimed_at,
                due_at=None,
                problem="",
            )
        else:
            is_over = message.claimed_at and at - message.claimed_at > LOOK_UP_FOR
            still.update(due_at=None if is_over else at + timedelta(minutes=2))
    return settled


def _claim(message_id: UUID, at: datetime) -> Message | None:
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(skip_locked=True)
            .filter(pk=message_id, state__in=["waiting", "held"], due_at__lte=at)
            .first()
        )
        if message is None:
            return None
        settle(message, decide(message, stage="dequeued", at=at), at)
    return message


def settle(message: Message, verdict: Verdict, at: datetime) -> None:
    """Write the verdict's consequence on the message, and the attempt if it may go."""
    message.verdict = verdict
    if verdict.decision == Decision.ALLOW:
        message.state, message.claimed_at = "claimed", at
        message.attempts += 1
        ContactAttempt.objects.get_or_create(
            cause=f"message:{message.pk}",
            defaults={
                "id": uuid7_at(at),
                "lead_id": message.lead_id,
                "person_id": message.person_id,
                "medium": message.medium,
                "address": message.to_address,
                "purpose": message.purpose,
                "is_automated": message.is_automated,
                "by_id": message.by_id,
                "at": at,
            },
        )
    else:
        message.state = {"defer": "held", "require": "review"}.get(verdict.decision, "blocked")
        message.problem = verdict.sentence[:300]
        message.due_at = verdict.next_allowed_at if message.state == "held" else None
        write(
            f"outreach.message.{message.state}",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            verdict=verdict.pk,
            reason=verdict.reason,
        )
    message.save(update_fields=["verdict", "state", "claimed_at", "attempts", "problem", "due_at"])


def _still_allowed(message: Message, at: datetime) -> bool:
    """The last look before the carrier: a STOP may have come since the claim."""
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=message.pk)
        verdict = decide(message, stage="handoff", at=at)
        if verdict.decision == Decision.ALLOW:
            Message.objects.filter(pk=message.pk).update(verdict=verdict)
            return True
        ContactAttempt.objects.filter(cause=f"message:{message.pk}").delete()
        settle(message, verdict, at)
    return False


def _hand_over(message: Message, at: datetime) -> None:
    try:
        carrier, carrier_id, segments = _call_carrier(message)
    except TryLater as problem:
        _wait(message, problem, at)
    except (Refused, Misconfigured) as problem:
        _fail(message, problem, at)
    except Uncertain as problem:
        Message.objects.filter(pk=message.pk, state="claimed").update(
            state="uncertain", problem=str(problem)[:300], due_at=at + timedelta(minutes=1)
        )
        write("outreach.message.uncertain", at=at, lead_id=message.lead_id, message=message.pk)
    else:
        _sent(message, carrier, carrier_id, segments, at)


def _call_carrier(message: Message) -> tuple[str, str, int | None]:
    if message.medium == "email":
        letter = mail.Letter(
            to=message.to_address,
            sender=message.from_address,
            subject=message.subject,
            body=message.body + _footer(message),
            reference=str(message.pk),
            unsubscribe_url=unsubscribe_url(message),
        )
        return "mail", mail.send(letter), None
    carrier = line()
    accepted = carrier.send_text(
        to=message.to_address,
        sender=message.from_address,
        body=message.body,
        status_callback=f"{settings.PUBLIC_URL}/in/twilio/status/{message.pk}/",
        reference=str(message.pk),
    )
    return carrier.name, accepted.carrier_id, accepted.segments


def _sender(medium: str, officer: LoanOfficer | None) -> str:
    """The number or address the borrower sees, the same for the whole conversation."""
    if medium == "email":
        return settings.DEFAULT_FROM_EMAIL
    return our_number(officer.text_number if officer else "")


def _footer(message: Message) -> str:
    """CAN-SPAM (15 USC 7704): who we are, where, and how to end it."""
    company = Company.objects.get()
    end = {"en": "To stop these e-mails", "es": "Para no recibir más correos"}[message.language]
    return (
        f"\n--\n{company.legal_name}, NMLS {company.nmls_id}\n{company.postal_address}\n"
        f"{end}: {unsubscribe_url(message)}\n"
    )


def _sent(
    message: Message, carrier: str, carrier_id: str, segments: int | None, at: datetime
) -> None:
    with transaction.atomic():
        mine = Message.objects.filter(pk=message.pk, state="claimed")
        if not mine.update(
            state="sent",
            carrier=carrier,
            carrier_id=carrier_id,
            segments=segments,
            sent_at=at,
            due_at=None,
            problem="",
        ):
            return
        Lead.objects.filter(pk=message.lead_id, first_message_at=None).update(first_message_at=at)
        write("outreach.message.sent", at=at, lead_id=message.lead_id, message=message.pk)


def _wait(message: Message, problem: TryLater, at: datetime) -> None:
    """Nothing was handed over: try again later, and do not count the attempt."""
    pause = problem.after or BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1]
    with transaction.atomic():
        ContactAttempt.objects.filter(cause=f"message:{message.pk}").delete()
        Message.objects.filter(pk=message.pk, state="claimed").update(
            state="waiting", due_at=at + timedelta(seconds=pause), problem=str(problem)[:300]
        )


def _fail(message: Message, problem: Failure, at: datetime) -> None:
    with transaction.atomic():
        Message.objects.filter(pk=message.pk, state="claimed").update(
            state="failed", due_at=None, problem=str(problem)[:300]
        )
        write(
            "outreach.message.failed",
            at=at,
            lead_id=message.lead_id,
            message=message.pk,
            code=getattr(problem, "code", ""),
        )


def _outgoing(message: Message) -> Outgoing:
    confirms = None
    if message.cause.startswith("stop:"):
        confirms = Revocation.objects.get(pk=message.cause.removeprefix("stop:"))
    return Outgoing(
        medium=MEDIA[message.medium],
        purpose=Purpose(message.purpose),
        is_automated=message.is_automated,
        to=message.to_address,
        text=message.body + (_footer(message) if message.medium == "email" else ""),
        subject=message.subject,
        officer=message.officer,
        cause=f"message:{message.pk}",
        confirms=confirms,
    )

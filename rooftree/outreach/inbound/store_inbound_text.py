"""Storing inbound texts: opt-outs apply at once, everything else waits for the officer."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rooftree.compliance.consent import reply_classifier, store_revocation
from rooftree.compliance.models import Revocation
from rooftree.core.masking import redact_numbers
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.db_role import assume_role
from rooftree.leads.models import ContactAttempt, Lead, Phone, Signal
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company
from rooftree.outreach.messages import cancel_messages, send
from rooftree.outreach.models import Message, UnmatchedText
from rooftree.outreach.wording import message_templates

PHONE_MEDIA = ["call", "text", "voicemail"]
NO_REPLY_MEANINGS = frozenset({"revoke", "wrong_person"})  # these need no answer from staff
# A STOP cancels queued messages with these causes, in addition to what the gate blocks.
MAX_ADDRESS, MAX_CARRIER_ID = 254, 120  # characters of their columns; hostile posts are longer
CAUSES_ENDED_BY_STOP = (*cancel_messages.OVERTAKEN_CAUSES, "watch:", "milestone:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The result of receiving one inbound text or email."""

    message: Message | None  # None: unknown sender, a bounce, or received before
    meaning: str  # a `reply_classifier.ReplyMeaning`, or "bounced" or "automatic"
    is_new: bool = True


def receive_text(*, sender: str, body: str, carrier_id: str, carrier: str, at: datetime) -> Reply:
    """Store one text from a borrower and apply a STOP in the same transaction.

    A carrier's duplicate changes nothing. A revocation cancels queued messages at once
    (47 CFR 64.1200(a)(10)); ambiguous words hold all automatic messages until staff review
    them; START restores only what written consent had allowed. Social security, card and
    account numbers are masked. A text from an unknown number is kept as an `UnmatchedText`.
    """
    sender, carrier_id = sender[:MAX_ADDRESS], carrier_id[:MAX_CARRIER_ID]
    body, _ = redact_numbers(body.replace("\x00", "").encode(errors="replace").decode())
    meaning = reply_classifier.classify_reply(body).meaning.value
    with transaction.atomic():
        known = {"carrier": carrier, "carrier_id": carrier_id}
        if any(table.objects.filter(**known).exists() for table in (Message, UnmatchedText)):
            return Reply(message=None, meaning=meaning, is_new=False)
        lead = find_lead_by_number(sender)
        if meaning in ("revoke", "wrong_person", "hold"):
            _record_stop(sender, body, meaning, lead, carrier_id, at)
        if lead is None:
            UnmatchedText.objects.create(
                id=uuid7_at(at), **known, from_address=sender, body=body, meaning=meaning, at=at
            )
            return Reply(message=None, meaning=meaning)
        message = store_message(lead, sender, body, meaning, carrier, carrier_id, at)
        if meaning == "optin":
            store_revocation.restore_permission(address=sender, by=f"start:{message.pk}", at=at)
        if meaning in ("revoke", "wrong_person", "hold"):
            cancel_messages.cancel_overtaken(
                lead_id=lead.pk, because=f"reply:{meaning}", at=at, causes=CAUSES_ENDED_BY_STOP
            )
    return Reply(message=message, meaning=meaning)


def find_lead_by_number(number: str) -> Lead | None:
    """Return the lead a text from this number most likely belongs to.

    The lead we last texted there, otherwise the newest inquiry; None for an unknown number.
    """
    people = Phone.objects.filter(e164=number, unlinked_at=None).values("person_id")
    last_message = (
        Message.objects.filter(
            to_address=number, direction="out", person_id__in=people, sent_at__isnull=False
        )
        .order_by("-sent_at")
        .first()
    )
    if last_message:
        return Lead.objects.select_related("person").get(pk=last_message.lead_id)
    return (
        Lead.objects.select_related("person")
        .filter(person_id__in=people)
        .order_by("-last_inquiry_at")
        .first()
    )


def queue_auto_reply(*, reply: Reply, at: datetime) -> Message | None:
    """Queue the confirmation of a STOP or the answer to HELP; None for any other reply."""
    key = {"revoke": "stop_confirmed", "help": "help_answer"}.get(reply.meaning)
    if reply.message is None or key is None:
        return None
    lead = Lead.objects.select_related("person").get(pk=reply.message.lead_id)
    language = message_templates.language_for(lead.person.language)
    template = message_templates.live_template(key, medium="text", language=language, at=at)
    company = Company.objects.get()
    rendered = message_templates.render_template(
        template, lead=lead, company=company, officer=None, at=at
    )
    cause = f"help:{reply.message.pk}"
    if reply.meaning == "revoke":
        # One confirmation per revocation: the gate allows only one, however often they send STOP.
        cause = (
            f"stop:{Revocation.objects.get(idempotency_key=f'text:{reply.message.carrier_id}').pk}"
        )
    return send.queue_message(
        lead=lead,
        medium="text",
        purpose="confirmation" if reply.meaning == "revoke" else "reply",
        cause=cause,
        words=message_templates.MessageContent.from_rendered(rendered, None),
        to=reply.message.from_address,
        at=at,
    )


def _record_stop(
    sender: str, body: str, meaning: str, lead: Lead | None, carrier_id: str, at: datetime
) -> None:
    store_revocation.store_revocation(
        person_id=lead.person_id if lead else None,
        address=sender,
        kind={"revoke": "stop", "wrong_person": "wrong_person", "hold": "review"}[meaning],
        media=PHONE_MEDIA,
        words=body[:500],
        origin=f"message:{carrier_id}",
        idempotency_key=f"text:{carrier_id}",
        at=at,
    )
    if meaning == "wrong_person":
        Phone.objects.filter(e164=sender, unlinked_at=None).update(unlinked_at=at)


def store_message(  # noqa: PLR0913
    lead: Lead, sender: str, body: str, meaning: str, carrier: str, carrier_id: str, at: datetime
) -> Message:
    """Store a text on its lead, with its contact attempt, signal and event."""
    with assume_role("door", savepoint=False):
        message = Message.objects.create(
            id=uuid7_at(at),
            lead=lead,
            person_id=lead.person_id,
            direction="in",
            medium="text",
            purpose="reply",
            idempotency_key=f"in:{carrier}:{carrier_id}",
            is_automated=False,
            language=message_templates.language_for(lead.person.language),
            to_address="",
            from_address=sender,
            body=body,
            state="received",
            carrier=carrier,
            carrier_id=carrier_id,
            problem="" if meaning == "none" else meaning,
            created_at=at,
        )
    record_inbound_contact(message, meaning, at)
    write_event(
        "outreach.text.received",
        at=at,
        actor="borrower",
        lead_id=lead.pk,
        person_id=lead.person_id,
        message=message.pk,
        meaning=meaning,
    )
    return message


def record_inbound_contact(message: Message, meaning: str, at: datetime) -> None:
    """Record the inbound contact for caps and, unless they opted out, a signal for scoring."""
    is_opt_out = meaning in NO_REPLY_MEANINGS
    ContactAttempt.objects.create(
        id=uuid7_at(at),
        lead_id=message.lead_id,
        person_id=message.person_id,
        medium=message.medium,
        direction="in",
        address=message.from_address,
        result=meaning if is_opt_out else "replied",
        at=at,
        idempotency_key=f"message:{message.pk}",
    )
    if not is_opt_out:
        Signal.objects.create(
            id=uuid7_at(at),
            lead_id=message.lead_id,
            kind="replied",
            idempotency_key=f"message:{message.pk}",
            at=at,
        )

"""Storing inbound email with its conversation, including opt-outs and bounces."""

import hashlib
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from rooftree.compliance.consent import reply_classifier, store_revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.inbound.parse_inbound_email import InboundEmail
from rooftree.outreach.inbound.quoted_text import remove_own_message
from rooftree.outreach.inbound.store_inbound_text import (
    CAUSES_ENDED_BY_STOP,
    Reply,
    record_inbound_contact,
)
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import Message

AUTOMATIC = "automatic"
ATTACHMENT_NOTE = "\n\n[{} attached, not stored]"


def receive_email(email: InboundEmail, *, raw: bytes, at: datetime) -> Reply:
    """Store one inbound email once, and apply an opt-out in the same transaction.

    Opt-out words end email, like unsubscribing does; staff decide whether the borrower meant
    calls and texts too (47 CFR 64.1200(a)(10)). What the email quotes of our message, with its
    footer on how to stop, never counts as the borrower's words. A delivery report marks the
    address as bounced; an automatic reply is stored and changes nothing.
    """
    with transaction.atomic():
        original = (
            Message.objects.select_for_update()
            .filter(pk=email.replied_message_id, direction="out")
            .first()
        )
        if original is None:
            return Reply(message=None, meaning=reply_classifier.ReplyMeaning.NONE.value)
        if email.bounced_address:
            carrier_callbacks.record_bounce(
                message_id=str(original.pk), address=email.bounced_address, at=at
            )
            return Reply(message=None, meaning="bounced")
        reference = email.reference or hashlib.sha256(raw).hexdigest()
        cause = f"in:mail:{hashlib.sha256(reference.encode()).hexdigest()[:40]}"
        if Message.objects.filter(idempotency_key=cause, medium="email").exists():
            return Reply(
                message=None, meaning=reply_classifier.ReplyMeaning.NONE.value, is_new=False
            )
        own_words = remove_own_message(email.body, f"{original.body}\n{original.ending}")
        email = replace(email, body=own_words)
        meaning = (
            AUTOMATIC
            if email.is_automatic
            else reply_classifier.classify_reply(email.body).meaning.value
        )
        message = _store_message(email, original, meaning, cause, at)
        if meaning in ("revoke", "wrong_person", "hold"):
            _record_email_stop(original, email, meaning, cause, at)
    return Reply(message=message, meaning=meaning)


def _store_message(
    email: InboundEmail, original: Message, meaning: str, cause: str, at: datetime
) -> Message:
    lead = Lead.objects.select_related("person").get(pk=original.lead_id)
    note, count = "", email.attachment_count
    if count:
        note = ATTACHMENT_NOTE.format("1 file" if count == 1 else f"{count} files")
    with assume_role("door", savepoint=False):
        message = Message.objects.create(
            id=uuid7_at(at),
            lead=lead,
            person_id=lead.person_id,
            direction="in",
            medium="email",
            purpose="reply",
            idempotency_key=cause,
            is_automated=meaning == AUTOMATIC,
            language=original.language,
            to_address="",
            from_address=email.sender,
            subject=email.subject,
            body=f"{email.body}{note}",
            state="received",
            carrier="mail",
            problem="" if meaning == "none" else meaning,
            created_at=at,
            read_at=at if meaning == AUTOMATIC else None,
        )
    if meaning != AUTOMATIC:
        record_inbound_contact(message, meaning, at)
    write_event(
        "outreach.email.received",
        at=at,
        actor="borrower",
        lead_id=lead.pk,
        person_id=lead.person_id,
        message=message.pk,
        meaning=meaning,
    )
    return message


def _record_email_stop(
    original: Message, email: InboundEmail, meaning: str, cause: str, at: datetime
) -> None:
    store_revocation.store_revocation(
        person_id=original.person_id,
        address=comparison_key(original.to_address),
        kind={"revoke": "unsubscribe", "wrong_person": "wrong_person", "hold": "review"}[meaning],
        media=["email"],
        words=email.body[:500],
        origin=cause,
        idempotency_key=cause,
        at=at,
    )
    cancel_messages.cancel_overtaken(
        lead_id=original.lead_id, because=f"reply:{meaning}", at=at, causes=CAUSES_ENDED_BY_STOP
    )

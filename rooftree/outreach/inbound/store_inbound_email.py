"""Keeping an e-mail that came in, beside the conversation it belongs to."""

import hashlib
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
from rooftree.outreach.inbound.store_inbound_text import (
    CAUSES_ENDED_BY_STOP,
    Reply,
    record_inbound_contact,
)
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import Message

AUTOMATIC = "automatic"
ATTACHMENT_NOTE = "\n\n[{} attached; files are not kept here]"


def receive_email(letter: InboundEmail, *, raw: bytes, at: datetime) -> Reply:
    """Keep one letter; words that end e-mail count in the same transaction. Once a letter.

    What they say ends e-mail, as their unsubscribing would; it is a person's to
    read whether they meant calls and texts too (47 CFR 64.1200(a)(10)). A
    delivery report marks the address; an absence note is kept and moves nothing.
    """
    with transaction.atomic():
        ours = Message.objects.select_for_update().filter(pk=letter.replied_message_id, direction="out").first()
        if ours is None:
            return Reply(message=None, meaning=reply_classifier.ReplyMeaning.NONE.value)
        if letter.bounced_address:
            carrier_callbacks.record_bounce(message_id=str(ours.pk), address=letter.bounced_address, at=at)
            return Reply(message=None, meaning="bounced")
        reference = letter.reference or hashlib.sha256(raw).hexdigest()
        cause = f"in:mail:{hashlib.sha256(reference.encode()).hexdigest()[:40]}"
        if Message.objects.filter(cause=cause, medium="email").exists():
            return Reply(
                message=None, meaning=reply_classifier.ReplyMeaning.NONE.value, is_new=False
            )
        word = (
            AUTOMATIC
            if letter.is_automatic
            else reply_classifier.classify_reply(letter.body).meaning.value
        )
        message = _store_message(letter, ours, word, cause, at)
        if word in ("revoke", "wrong_person", "hold"):
            _record_email_stop(ours, letter, word, cause, at)
    return Reply(message=message, meaning=word)


def _store_message(
    letter: InboundEmail, ours: Message, word: str, cause: str, at: datetime
) -> Message:
    lead = Lead.objects.select_related("person").get(pk=ours.lead_id)
    files = (
        ATTACHMENT_NOTE.format(f"{letter.attachment_count} file{'s'[: letter.attachment_count > 1]}")
        if letter.attachment_count
        else ""
    )
    with assume_role("door", savepoint=False):
        message = Message.objects.create(
            id=uuid7_at(at),
            lead=lead,
            person_id=lead.person_id,
            direction="in",
            medium="email",
            purpose="reply",
            cause=cause,
            is_automated=word == AUTOMATIC,
            language=ours.language,
            to_address="",
            from_address=letter.sender,
            subject=letter.subject,
            body=f"{letter.body}{files}",
            state="received",
            carrier="mail",
            problem="" if word == "none" else word,
            created_at=at,
            read_at=at if word == AUTOMATIC else None,
        )
    if word != AUTOMATIC:
        record_inbound_contact(message, word, at)
    write_event(
        "outreach.email.received",
        at=at,
        actor="borrower",
        lead_id=lead.pk,
        person_id=lead.person_id,
        message=message.pk,
        meaning=word,
    )
    return message


def _record_email_stop(
    ours: Message, letter: InboundEmail, word: str, cause: str, at: datetime
) -> None:
    store_revocation.store_revocation(
        person_id=ours.person_id,
        address=comparison_key(ours.to_address),
        kind={"revoke": "unsubscribe", "wrong_person": "wrong_person", "hold": "review"}[word],
        media=["email"],
        words=letter.body[:500],
        origin=cause,
        idempotency_key=cause,
        at=at,
    )
    cancel_messages.cancel_overtaken(
        lead_id=ours.lead_id, because=f"reply:{word}", at=at, causes=CAUSES_ENDED_BY_STOP
    )

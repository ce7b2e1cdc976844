"""The steps that follow when a borrower writes back or ends our messages."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, transaction

from rooftree.capture.intake.staff_contacts import StatedContacts
from rooftree.compliance.consent import store_revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.flow import credit_notice_triggers, lead_edits
from rooftree.flow.lead_offers import RESPONSE_TIME
from rooftree.flow.message_dispatch import send_messages
from rooftree.leads import snooze
from rooftree.leads.models import Lead, Phone
from rooftree.nurture import sequence_enrollment
from rooftree.org import staff_notices
from rooftree.org.models import User
from rooftree.outreach.inbound import (
    parse_inbound_email,
    store_inbound_email,
    store_inbound_text,
    unmatched_texts,
)
from rooftree.outreach.inbound.store_inbound_text import Reply
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import BadTemplate, NoTemplate
from rooftree.routing import response_deadline
from rooftree.scoring.rescore_leads import rescore_lead
from rooftree.tasks.live_updates import publish_update

log = logging.getLogger(__name__)
ANSWERABLE_MEANINGS = frozenset({"none", "optin", "help"})
OFFICER_NOTICES = {
    "none": "wrote back",
    "optin": "wants messages again",
    "help": "asked who is writing",
    "hold": "may have asked to stop: read the message",
    "revoke": "opted out of texts and calls",
    "wrong_person": "says this is the wrong number",
}


def receive_text(
    *,
    sender: str,
    body: str,
    carrier_id: str,
    carrier: str,
    at: datetime,
    is_answered: bool = False,
) -> Reply:
    """Store an inbound text and notify the officer; a STOP counts before this returns.

    Args:
        is_answered: the carrier has confirmed the STOP already. A second confirmation
            would be one too many (47 CFR 64.1200(a)(12)).
    """
    with transaction.atomic():
        reply = store_inbound_text.receive_text(
            sender=sender, body=body, carrier_id=carrier_id, carrier=carrier, at=at
        )
        if reply.message is None:
            return reply
        try:
            with transaction.atomic():
                _respond_to_reply(reply, reply.message, is_answered=is_answered, at=at)
        except DatabaseError:
            raise
        except Exception:  # the edge: a STOP counts even if the steps after it fail
            log.exception("the steps after inbound message %s failed", reply.message.pk)
    return reply


def attach_text(*, text_id: UUID, lead_id: UUID, by: User, at: datetime) -> Message:
    """Attach a text from an unknown number to a lead, and its number to the borrower.

    The officer hears of it like of any reply; nothing is answered automatically. Raises
    `UserError`.
    """
    with transaction.atomic():
        lead = Lead.objects.select_related("person").get(pk=lead_id)
        reply = unmatched_texts.attach_text(text_id=text_id, lead=lead, by=by, at=at)
        message = reply.message
        assert message is not None
        phones = Phone.objects.filter(person=lead.person, e164=message.from_address)
        if reply.meaning != "wrong_person" and not phones.filter(unlinked_at=None).exists():
            stated = StatedContacts(phone=message.from_address)
            lead_edits.add_contacts(lead_id=lead.pk, stated=stated, by=by, at=at)
        _apply_reply(message, reply.meaning, at)
    return message


def receive_email(*, raw: bytes, at: datetime) -> bool:
    """Store an e-mail that answers one of ours; return False if it answers none.

    An out-of-office reply is stored and changes nothing. An e-mail of a stranger never
    raises.
    """
    try:
        email = parse_inbound_email.parse_email(raw)
    except parse_inbound_email.NotAReplyToUs as problem:
        log.info("an e-mail was not stored: %s", problem)
        return False
    with transaction.atomic():
        reply = store_inbound_email.receive_email(email, raw=raw, at=at)
        if reply.message and reply.meaning != store_inbound_email.AUTOMATIC:
            _apply_reply(reply.message, reply.meaning, at)
    return True


def unsubscribe_person(*, message: Message, at: datetime) -> None:
    """End e-mail to the recipient of a message (15 USC 7704(a)(3)). Safe to repeat."""
    with transaction.atomic():
        store_revocation.store_revocation(
            person_id=message.person_id,
            address=comparison_key(message.to_address),
            kind="unsubscribe",
            media=["email"],
            origin=f"unsubscribe:{message.pk}",
            idempotency_key=f"unsubscribe:{message.pk}",
            at=at,
        )
        waiting = Message.objects.filter(
            person_id=message.person_id,
            medium="email",
            purpose="marketing",  # news of their own loan goes on (15 USC 7702(17))
            state__in=["waiting", "held", "review"],
        )
        waiting.update(state="cancelled", problem="Borrower unsubscribed.", due_at=None)
        publish_update("lead", lead=str(message.lead_id))


def _respond_to_reply(reply: Reply, message: Message, *, is_answered: bool, at: datetime) -> None:
    _apply_reply(message, reply.meaning, at)  # first, because it cancels queued messages
    try:
        answer = None if is_answered else store_inbound_text.queue_auto_reply(reply=reply, at=at)
    except (NoTemplate, BadTemplate) as problem:
        log.error("a reply with meaning %s could not be answered: %s", reply.meaning, problem)
        return
    if answer:
        send_messages.enqueue()


def _apply_reply(message: Message, meaning: str, at: datetime) -> None:
    lead = Lead.objects.select_related("officer", "person").get(pk=message.lead_id)
    sequence_enrollment.stop_sequence(lead_id=lead.pk, because="replied", at=at)
    snooze.wake_lead(lead_id=lead.pk, because="replied", at=at)
    if meaning in ANSWERABLE_MEANINGS:
        cancel_messages.cancel_overtaken(lead_id=lead.pk, because="replied", at=at)
        due = response_deadline.callable_deadline_of_lead(lead, by=at + RESPONSE_TIME, at=at)
        Lead.objects.filter(pk=lead.pk).update(response_due_at=due)
    rescore_lead(lead_id=lead.pk, because="replied", at=at)
    credit_notice_triggers.check_borrower_message(message, at=at)
    if lead.officer:
        name = lead.person.short_name
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="reply",
            idempotency_key=f"message:{message.pk}",
            text=f"{name} {OFFICER_NOTICES.get(meaning, 'wrote back')}.",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
    publish_update("lead", lead=str(lead.pk))

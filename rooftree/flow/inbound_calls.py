"""Calls to tracking numbers and chats: one conversation becomes one touch."""

from datetime import datetime, timedelta

from rooftree.capture.intake.amend_touch import amend_touch
from rooftree.capture.parsing.envelope import Answer, Envelope
from rooftree.flow import call_events, credit_notice_triggers
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, Touch
from rooftree.leads.vocabulary import InteractionKind
from rooftree.outreach.calls import answer_inbound_call

LONGEST_CALL = timedelta(minutes=15)  # a call without a reported end is processed after this


def add_ring_number(answer: Answer, *, sender: str) -> Answer:
    """Fill in the number to ring for a caller: their officer's, else the company's."""
    return answer.with_values(ring=answer_inbound_call.forwarding_number(sender))


def call_wait_deadline(envelope: Envelope, delivery: Delivery, *, at: datetime) -> datetime | None:
    """Return until when to wait for a live call to end; None if there is nothing to wait for.

    While a call is live there is no one to call back.
    """
    ends_at = delivery.received_at + LONGEST_CALL
    interactions = [lead.interaction for lead in envelope.leads if lead.interaction]
    is_live = any(
        interaction.kind is InteractionKind.CALL and interaction.answered is None
        for interaction in interactions
    )
    return ends_at if is_live and at < ends_at else None


def append_to_conversation(inquiry: CanonicalLead, *, delivery: Delivery, at: datetime) -> bool:
    """Append to the conversation's existing touch; return False if there is none."""
    touch = amend_touch(inquiry, delivery=delivery, at=at)
    if touch is None or touch.delivery_id == delivery.pk:
        return False
    credit_notice_triggers.check_applications.enqueue(lead_ids=[str(touch.lead_id)])
    return True


def handle_call_touch(touch: Touch, *, at: datetime) -> bool:
    """Handle the end of the call that a touch describes; return False if it is not a call.

    A missed call sets a deadline to call back and queues a text where that is lawful; an
    answered call needs neither.
    """
    call = touch.inquiry.get("interaction", {})
    if call.get("kind") != InteractionKind.CALL:
        return False
    number = next(
        (phone["e164"] for phone in touch.inquiry.get("phones", []) if "e164" in phone), ""
    )
    call_id = f"{touch.source.adapter}:{touch.vendor_lead_id}"
    called = call.get("tracking_number") or ""
    answer_inbound_call.store_call(touch.lead, sender=number, called=called, call_id=call_id, at=at)
    was_answered = call.get("answered") is True and call.get("voicemail") is not True
    call_events.on_inbound_call_ended(
        call_id=call_id,
        dial_status="completed" if was_answered else "no-answer",
        seconds=call.get("duration_s"),
        at=at,
    )
    return True

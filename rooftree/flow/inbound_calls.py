"""What follows when somebody calls a tracking number or chats: one conversation, one touch."""

from datetime import datetime, timedelta

from rooftree.capture.intake.amend_touch import amend_touch
from rooftree.capture.parsing.envelope import RING_NUMBER_PLACEHOLDER, Answer, Envelope
from rooftree.flow import call_events, credit_notice_triggers
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Delivery, Touch
from rooftree.leads.vocabulary import InteractionKind
from rooftree.outreach.calls import answer_inbound_call

LONGEST_CALL = timedelta(minutes=15)  # then a call that nobody ended is worked as it is


def add_ring_number(answer: Answer, *, sender: str) -> Answer:
    """The answer to a caller, with the number to ring: their officer's, else the company's."""
    if RING_NUMBER_PLACEHOLDER not in str(answer.body):
        return answer
    return answer.with_values(ring=answer_inbound_call.forwarding_number(sender))


def call_wait_deadline(envelope: Envelope, delivery: Delivery, *, at: datetime) -> datetime | None:
    """Until when a call is left to end: while it rings there is nobody to call back."""
    ends_at = delivery.received_at + LONGEST_CALL
    is_live = any(_is_call(lead) and _answered(lead) is None for lead in envelope.leads)
    return ends_at if is_live and at < ends_at else None


def append_to_conversation(inquiry: CanonicalLead, *, delivery: Delivery, at: datetime) -> bool:
    """Whether it was of a conversation that has its touch already, and is added to it."""
    touch = amend_touch(inquiry, delivery=delivery, at=at)
    if touch is None or touch.delivery_id == delivery.pk:
        return False
    credit_notice_triggers.check_applications.enqueue(lead_ids=[str(touch.lead_id)])
    return True


def handle_call_touch(touch: Touch, *, at: datetime) -> bool:
    """Whether the touch was a call, whose end is then told as of any call that came in.

    A missed one is a promise and a text, where one is lawful; one that was answered
    needs neither.
    """
    talk = touch.inquiry.get("interaction", {})
    if talk.get("kind") != InteractionKind.CALL:
        return False
    number = next((one["e164"] for one in touch.inquiry.get("phones", []) if "e164" in one), "")
    call_id = f"{touch.source.adapter}:{touch.vendor_lead_id}"
    called = talk.get("tracking_number") or ""
    answer_inbound_call.store_call(touch.lead, sender=number, called=called, call_id=call_id, at=at)
    is_spoken = talk.get("answered") is True and talk.get("voicemail") is not True
    call_events.on_inbound_call_ended(
        call_id=call_id,
        dial_status="completed" if is_spoken else "no-answer",
        seconds=talk.get("duration_s"),
        at=at,
    )
    return True


def _is_call(inquiry: CanonicalLead) -> bool:
    return inquiry.interaction is not None and inquiry.interaction.kind is InteractionKind.CALL


def _answered(inquiry: CanonicalLead) -> bool | None:
    return inquiry.interaction.answered if inquiry.interaction else None

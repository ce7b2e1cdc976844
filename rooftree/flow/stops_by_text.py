"""A STOP or a "wrong number" texted to a tracking number: an answer to us, not a new lead."""

from datetime import datetime

from rooftree.capture.intake.store_inquiries import Arrival
from rooftree.compliance.consent.stops_in_inquiries import classify_inquiry
from rooftree.flow import borrower_replies
from rooftree.outreach.inbound.store_inbound_text import NO_REPLY_MEANINGS

CLOSED_COLUMNS = {"state": "closed", "outcome": "ignored", "reason": "opt_out"}


def receive_stop(arrival: Arrival, *, at: datetime) -> bool:
    """Apply a texted stop like one that our own carrier reports; return False for other texts.

    The vendor's number has confirmed it already, so no second confirmation is sent
    (47 CFR 64.1200(a)(12)). Safe to repeat.
    """
    inquiry, delivery = arrival.inquiry, arrival.delivery
    sender = next((phone.e164 for phone in inquiry.phones if phone.e164), None)
    if sender is None:
        return False
    reply = classify_inquiry(inquiry)
    if reply is None or reply.meaning.value not in NO_REPLY_MEANINGS:
        return False
    borrower_replies.receive_text(
        sender=sender,
        body=reply.text,
        carrier_id=f"{delivery.pk}:{arrival.position}",
        carrier=inquiry.source.value,
        at=at,
        is_answered=True,
    )
    return True

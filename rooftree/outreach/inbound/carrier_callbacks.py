"""Carrier callbacks about our messages. Late and duplicate callbacks are normal."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from rooftree.core import twilio_signature
from rooftree.core.vendor_errors import VendorError
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Email, Lead, Phone
from rooftree.ledger.write_events import write_event
from rooftree.org.carrier_account import account_in_force
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.media.carrier_types import DeliveryStatus, InboundContact, StatusCallback
from rooftree.outreach.media.twiml import empty_response, say_and_hang_up
from rooftree.outreach.messages import message_verdicts
from rooftree.outreach.models import Message

log = logging.getLogger(__name__)
EMPTY_RESPONSE = empty_response()  # for a text we answer elsewhere, or not at all
STATE_BY_DELIVERY_STATUS = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.FAILED: "failed",
}

# The states each state can follow, whatever order callbacks arrive in. "waiting" is one of them
# because a message we believed unsent can turn out to be at the carrier.
STATES_BEFORE = {
    "sent": ["claimed", "uncertain", "waiting"],
    "delivered": ["claimed", "uncertain", "waiting", "sent", "failed"],
    "failed": ["claimed", "uncertain", "sent"],
}


STATUS_COLUMNS = ["state", "carrier", "carrier_id", "problem", "due_at", "delivered_at", "sent_at"]


def is_from_carrier(headers: Mapping[str, str], url: str, form: Iterable[tuple[str, str]]) -> bool:
    """Return True if the carrier signed this request; always False without an auth token."""
    token = account_in_force().auth_token
    return bool(token) and twilio_signature.is_signed_by_twilio(headers, url, form, {"": token})


def parse_inbound_text(form: Mapping[str, str]) -> InboundContact | None:
    """Parse a verified inbound text; None if it has no sender or is not a text."""
    contact: InboundContact | None = get_carrier().module.parse_inbound(form)
    return contact if contact and contact.sender else None


def record_text_status(form: Mapping[str, str], *, reference: str, at: datetime) -> bool:
    """Record a verified status callback about one of our texts; False if it changes nothing."""
    callback: StatusCallback | None = get_carrier().module.parse_status(form)
    if callback is None:
        return False
    problem = ""
    if callback.error_code:
        problem = f"Carrier status: {callback.raw_status} (error {callback.error_code})."
    with transaction.atomic():
        is_news = record_message_status(
            carrier_id=callback.carrier_id,
            status=STATE_BY_DELIVERY_STATUS.get(callback.status, ""),
            problem=problem,
            reference=reference,
            carrier=get_carrier().name,
            at=at,
        )
        if is_news and callback.is_invalid_number:
            message = Message.objects.get(carrier_id=callback.carrier_id)
            record_dead_number(message.to_address, at=at)
    return is_news


def read_carrier_status(form: Mapping[str, str]) -> tuple[str, str, str]:
    """Return carrier id, our status and the carrier's words of a verified status callback.

    The status is accepted, sent, delivered or failed; all are "" if the form has none.
    """
    callback: StatusCallback | None = get_carrier().module.parse_status(form)
    if callback is None:
        return "", "", ""
    words = callback.raw_status.replace("-", " ")
    if callback.error_code:
        words = f"{words}, error {callback.error_code}"
    return callback.carrier_id, callback.status.value, words


def build_trial_markup() -> str:
    """Return the markup that a member of staff hears who has the carrier ring them."""
    return say_and_hang_up("This is a test call from Rooftree. Your calls work. Goodbye.")


def fetch_call_end(call_id: str) -> StatusCallback | None:
    """Ask the carrier how a connected call ended, in case its callback was lost.

    None if the call is in progress or the carrier can't be asked.
    """
    try:
        return get_carrier().find_call_end(call_id=call_id)
    except VendorError as problem:
        log.warning("the end of a call could not be looked up: %s", problem)
        return None


def call_seconds(form: Mapping[str, str]) -> int | None:
    """Return the length of a call from its verified callback; None if it doesn't say."""
    duration = form.get("DialCallDuration", "")
    return int(duration) if duration.isdecimal() and len(duration) < 7 else None


def record_message_status(
    *,
    carrier_id: str,
    status: str,
    problem: str = "",
    reference: str = "",
    carrier: str = "",
    at: datetime,
) -> bool:
    """Update a message to a later delivery status; return False if nothing changes.

    Args:
        status: sent, delivered or failed; any other value is ignored.
        reference: our message id, if the carrier returned it; it finds a message whose carrier
            id was lost in a crash.
    """
    if status not in STATES_BEFORE:
        return False
    with assume_role("door"):
        rows = Message.objects.select_for_update().filter(direction="out")
        message = rows.filter(carrier_id=carrier_id).first() if carrier_id else None
        if message is None and reference:
            message = rows.filter(pk=reference).first()
        if message is None or message.state not in STATES_BEFORE[status]:
            return False
        if message.state == "failed":  # it arrived after all, so the number is in service
            Phone.objects.filter(e164=message.to_address).update(dead_at=None)
        message.state = status
        message.carrier = message.carrier or carrier
        message.carrier_id = message.carrier_id or carrier_id
        message.problem = problem[:300]
        message.due_at = None
        if status == "delivered":
            message.delivered_at = at
        message.sent_at = message.sent_at or message.claimed_at
        message.save(update_fields=STATUS_COLUMNS)
        message_verdicts.record_attempts([message], message.sent_at or at)
        Lead.objects.filter(pk=message.lead_id, first_message_at=None).update(
            first_message_at=message.sent_at
        )
        write_event(
            f"outreach.message.{status}",
            at=at,
            actor="carrier",
            lead_id=message.lead_id,
            message=message.pk,
        )
    return True


def record_bounce(*, message_id: str, address: str, at: datetime) -> None:
    """Mark an address as bounced, so that it is never used again, and fail the message."""
    with transaction.atomic():
        Email.objects.filter(address__iexact=address, bounced_at=None).update(bounced_at=at)
        record_message_status(
            carrier_id="",
            reference=message_id,
            status="failed",
            problem="The email bounced.",
            at=at,
        )


def record_dead_number(number: str, *, at: datetime) -> None:
    """Mark a number (E.164) as not in service; the first date is kept."""
    Phone.objects.filter(e164=number, dead_at=None).update(dead_at=at)

"""What carriers tell us later: where a message got to. Late and doubled news is usual."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from rooftree.core import twilio_signature
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import VendorError
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Email, Lead, Phone, Signal
from rooftree.ledger.write_events import write_event
from rooftree.outreach.media.active_carrier import get_carrier
from rooftree.outreach.media.carrier_types import DeliveryStatus, InboundContact, StatusCallback
from rooftree.outreach.media.twiml import empty_response
from rooftree.outreach.messages import message_attempts
from rooftree.outreach.models import Message

log = logging.getLogger(__name__)
EMPTY_RESPONSE = empty_response()  # the answer when we reply elsewhere, or not at all
STATE_BY_DELIVERY_STATUS = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.FAILED: "failed",
}

STATES_BEFORE = {
    "sent": ["claimed", "uncertain", "waiting"],
    "delivered": ["claimed", "uncertain", "waiting", "sent", "failed"],
    "failed": ["claimed", "uncertain", "sent"],
}  # a state may only be left for a later one, whatever the order of the news
# "waiting": we thought that nothing was handed over, and the carrier knows better


STATUS_COLUMNS = ["state", "carrier", "carrier_id", "problem", "due_at", "delivered_at", "sent_at"]


def is_from_carrier(headers: Mapping[str, str], url: str, form: Iterable[tuple[str, str]]) -> bool:
    """Whether the carrier signed this request. Without a carrier nothing is believed."""
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    return twilio_signature.is_signed_by_twilio(
        headers, url, form, {"": settings.TWILIO_AUTH_TOKEN}
    )


def parse_inbound_text(form: Mapping[str, str]) -> InboundContact | None:
    """A verified text from a borrower, in our words; None when it is none."""
    came: InboundContact | None = get_carrier().module.parse_inbound(form)
    return came if came and came.sender else None


def record_text_status(form: Mapping[str, str], *, reference: str, at: datetime) -> bool:
    """A verified callback about one of our texts; False when it is no news."""
    told: StatusCallback | None = get_carrier().module.parse_status(form)
    if told is None:
        return False
    problem = f"The carrier says {told.raw_status} ({told.error_code})." if told.error_code else ""
    with transaction.atomic():
        is_news = record_message_status(
            carrier_id=told.carrier_id,
            status=STATE_BY_DELIVERY_STATUS.get(told.status, ""),
            problem=problem,
            reference=reference,
            carrier=get_carrier().name,
            at=at,
        )
        if is_news and told.is_invalid_number:
            record_dead_number(Message.objects.get(carrier_id=told.carrier_id).to_address, at=at)
    return is_news


def fetch_call_end(call_id: str) -> StatusCallback | None:
    """How a connected call ended, asked of the carrier, which may not have got to tell us."""
    try:
        return get_carrier().find_call_end(call_id=call_id)
    except VendorError as problem:
        log.warning("the end of a call could not be looked up: %s", problem)
        return None


def call_seconds(form: Mapping[str, str]) -> int | None:
    """How long the call that a verified callback is about lasted; None when it does not say."""
    said = form.get("DialCallDuration", "")
    return int(said) if said.isdecimal() and len(said) < 7 else None


def record_message_status(
    *,
    carrier_id: str,
    status: str,
    problem: str = "",
    reference: str = "",
    carrier: str = "",
    at: datetime,
) -> bool:
    """Note where a message got to; False when that changes nothing.

    Args:
        status: sent, delivered or failed; anything else is no news.
        reference: our message id, when the carrier returned it: finds a message
            whose carrier id a crash kept from us.
    """
    if status not in STATES_BEFORE:
        return False
    with assume_role("door"):
        message = _lock_message(carrier_id, reference)
        if message is None or message.state not in STATES_BEFORE[status]:
            return False
        if message.state == "failed":  # and now it arrived: the number is somebody's
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
        message_attempts.record_attempts([message], message.sent_at or at)
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
    """An e-mail came back: that address is not written to again."""
    with transaction.atomic():
        Email.objects.filter(address__iexact=address, bounced_at=None).update(bounced_at=at)
        record_message_status(
            carrier_id="", reference=message_id, status="failed", problem="It bounced.", at=at
        )


def record_dead_number(number: str, *, at: datetime) -> None:
    """The carrier says that a number (E.164) is nobody's. The first time stays."""
    Phone.objects.filter(e164=number, dead_at=None).update(dead_at=at)


def record_signal(*, message: Message, kind: str, at: datetime) -> bool:
    """The borrower opened or clicked; False when we knew."""
    signal, is_new = Signal.objects.get_or_create(
        cause=f"{kind}:{message.pk}",
        defaults={"id": uuid7_at(at), "lead_id": message.lead_id, "kind": kind, "at": at},
    )
    if is_new and kind == "opened":
        Message.objects.filter(pk=message.pk, opened_at=None).update(opened_at=at)
    return is_new


def _lock_message(carrier_id: str, reference: str) -> Message | None:
    rows = Message.objects.select_for_update().filter(direction="out")
    found = rows.filter(carrier_id=carrier_id).first() if carrier_id else None
    return found or (rows.filter(pk=reference).first() if reference else None)

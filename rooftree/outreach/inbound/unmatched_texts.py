"""Texts from unknown numbers: kept until staff attach each to a lead or close it."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from rooftree.compliance.models import Revocation
from rooftree.core.user_errors import UserError
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.outreach.inbound.store_inbound_text import (
    CAUSES_ENDED_BY_STOP,
    Reply,
    store_message,
)
from rooftree.outreach.messages import cancel_messages
from rooftree.outreach.models import UnmatchedText


def list_open_texts() -> QuerySet[UnmatchedText]:
    """Return the texts that wait for a decision, oldest first."""
    return UnmatchedText.objects.filter(closed_at=None).order_by("at", "id")


def attach_text(*, text_id: UUID, lead: Lead, by: User, at: datetime) -> Reply:
    """Store the text as a message of the lead. Raises `UserError` if somebody decided already.

    Must run in a transaction.
    """
    text = _close(text_id, by=by, at=at)
    message = store_message(
        lead, text.from_address, text.body, text.meaning, text.carrier, text.carrier_id, text.at
    )
    if text.meaning in ("revoke", "hold"):  # of the person now, not of one number alone
        stops = Revocation.objects.filter(idempotency_key=f"text:{text.carrier_id}")
        stops.update(person_id=lead.person_id)
        cancel_messages.cancel_overtaken(
            lead_id=lead.pk,
            because=f"reply:{text.meaning}",
            at=at,
            causes=CAUSES_ENDED_BY_STOP,
        )
    UnmatchedText.objects.filter(pk=text.pk).update(message=message)
    return Reply(message=message, meaning=text.meaning)


def dismiss_text(*, text_id: UUID, by: User, at: datetime) -> None:
    """Close a text that belongs to no lead. Must run in a transaction.

    Raises `UserError` if somebody decided already.
    """
    text = _close(text_id, by=by, at=at)
    write_event("outreach.text.dismissed", at=at, actor=f"user:{by.pk}", text=text.pk)


def _close(text_id: UUID, *, by: User, at: datetime) -> UnmatchedText:
    if not list_open_texts().filter(pk=text_id).update(closed_at=at, closed_by=by):
        raise UserError("Someone else already handled this text.")
    return UnmatchedText.objects.get(pk=text_id)

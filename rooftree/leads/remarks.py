"""Notes staff write about a lead."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from rooftree.core.masking import redact_numbers
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead, Remark
from rooftree.ledger.write_events import write_event

MAX_LENGTH = 4000  # characters
DUPLICATE_WINDOW = timedelta(minutes=1)


class InvalidRemark(Exception):
    """An empty or too long note. The text is fit to show."""


def add_remark(*, lead_id: UUID, by: UUID, text: str, at: datetime) -> Remark:
    """Store a note about a lead; the ledger records that there is one, but not its text.

    Numbers that must not be stored (SSN, card, account) are masked. The same text
    within a minute is a double submit and stored once. Raises `InvalidRemark` for an
    empty note or one of more than 4,000 characters.
    """
    text, _ = redact_numbers(text.strip())
    if not text:
        raise InvalidRemark("Enter a note.")
    if len(text) > MAX_LENGTH:
        raise InvalidRemark(f"This note has {len(text):,} characters. The limit is {MAX_LENGTH:,}.")
    with transaction.atomic():
        # Lock the lead's row, so that a double submit finds the first note.
        Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
        recent = Remark.objects.filter(
            lead_id=lead_id, by_id=by, text=text, at__gt=at - DUPLICATE_WINDOW
        )
        if duplicate := recent.first():
            return duplicate
        remark = Remark.objects.create(id=uuid7_at(at), lead_id=lead_id, by_id=by, text=text, at=at)
        write_event(
            "leads.remark.added", at=at, actor=f"user:{by}", lead_id=lead_id, remark=remark.pk
        )
    return remark

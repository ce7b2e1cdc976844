"""What staff write down about a lead."""

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
    """There is nothing to keep, or too much. The text is fit to show."""


def add_remark(*, lead_id: UUID, by: UUID, text: str, at: datetime) -> Remark:
    """Keep a note about a lead; the ledger learns that there is one, not what it says.

    A number that may not be kept is masked. The same words pressed twice within a
    minute are one note. Raises `CannotAdd` for an empty note, or one of more than
    4,000 characters.
    """
    text, _ = redact_numbers(text.strip())
    if not text:
        raise InvalidRemark("Write something first.")
    if len(text) > MAX_LENGTH:
        raise InvalidRemark(f"This is {len(text):,} characters long; a note holds {MAX_LENGTH:,}.")
    with transaction.atomic():
        # The lead's row is the mutex: two presses at once must not both find nothing.
        Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
        same = Remark.objects.filter(
            lead_id=lead_id, by_id=by, text=text, at__gt=at - DUPLICATE_WINDOW
        )
        if known := same.first():
            return known
        remark = Remark.objects.create(id=uuid7_at(at), lead_id=lead_id, by_id=by, text=text, at=at)
        write_event(
            "leads.remark.added", at=at, actor=f"user:{by}", lead_id=lead_id, remark=remark.pk
        )
    return remark

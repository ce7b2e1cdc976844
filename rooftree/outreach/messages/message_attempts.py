"""Contact attempts of messages, which caps count: from the claim on, unless nothing was sent."""

from collections.abc import Sequence
from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.models import ContactAttempt
from rooftree.outreach.models import Message


def record_attempts(messages: Sequence[Message], at: datetime) -> None:
    """Record the contact attempts that caps count, once per message."""
    insert_new_rows(
        [
            ContactAttempt(
                id=uuid7_at(at),
                idempotency_key=f"message:{message.pk}",
                lead_id=message.lead_id,
                person_id=message.person_id,
                medium=message.medium,
                address=message.to_address,
                purpose=message.purpose,
                is_automated=message.is_automated,
                by_id=message.by_id,
                at=at,
            )
            for message in messages
        ]
    )


def delete_attempts(messages: Sequence[Message]) -> None:
    """Delete the attempts of messages that never reached the carrier."""
    causes = [f"message:{message.pk}" for message in messages]
    ContactAttempt.objects.filter(idempotency_key__in=causes).delete()

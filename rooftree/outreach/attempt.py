"""The contact attempt of a message, which caps count: from the claim on, gone if nothing left."""

from collections.abc import Sequence
from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import ContactAttempt
from rooftree.org.insert import insert_all_once
from rooftree.outreach.models import Message


def count(messages: Sequence[Message], at: datetime) -> None:
    """Write down the contact attempts that caps count, once a message."""
    insert_all_once(
        [
            ContactAttempt(
                id=uuid7_at(at),
                cause=f"message:{one.pk}",
                lead_id=one.lead_id,
                person_id=one.person_id,
                medium=one.medium,
                address=one.to_address,
                purpose=one.purpose,
                is_automated=one.is_automated,
                by_id=one.by_id,
                at=at,
            )
            for one in messages
        ]
    )


def uncount(messages: Sequence[Message]) -> None:
    """Nothing was handed over after all."""
    causes = [f"message:{one.pk}" for one in messages]
    ContactAttempt.objects.filter(cause__in=causes).delete()

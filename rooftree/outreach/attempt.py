"""The contact attempt of a message, which caps count: from the claim on, gone if nothing left."""

from datetime import datetime

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import ContactAttempt
from rooftree.org.insert import insert_once
from rooftree.outreach.models import Message


def count(message: Message, at: datetime) -> None:
    """Write down the contact attempt that caps count, once a message."""
    row = ContactAttempt(
        id=uuid7_at(at),
        cause=f"message:{message.pk}",
        lead_id=message.lead_id,
        person_id=message.person_id,
        medium=message.medium,
        address=message.to_address,
        purpose=message.purpose,
        is_automated=message.is_automated,
        by_id=message.by_id,
        at=at,
    )
    insert_once(row)


def uncount(message: Message) -> None:
    """Nothing was handed over after all."""
    ContactAttempt.objects.filter(cause=f"message:{message.pk}").delete()

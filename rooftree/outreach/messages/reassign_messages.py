"""Messages follow the person of their lead when people are merged or split."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.email_addresses import comparison_key
from rooftree.db.statements import execute
from rooftree.leads.models import Email, Phone
from rooftree.ledger.write_events import write_event
from rooftree.outreach.models import Message

REASSIGN_SQL = """
update message set person_id = lead.person_id
  from lead
 where lead.id = message.lead_id and lead.id = any(%s) and message.person_id <> lead.person_id
"""
UNSENT_STATES = ["waiting", "held", "review"]


def reassign_to_lead_person(lead_ids: Sequence[UUID]) -> int:
    """Move the messages of these leads to the leads' current person; return how many changed."""
    return execute(REASSIGN_SQL, [list(lead_ids)])


def cancel_misaddressed(lead_ids: Sequence[UUID], *, at: datetime) -> int:
    """Cancel unsent messages to a number or address of someone else; return how many."""
    rows = Message.objects.filter(lead__in=lead_ids, direction="out", state__in=UNSENT_STATES)
    with transaction.atomic():
        unsent = list(rows.select_for_update(of=("self",)))
        misaddressed = [message for message in unsent if not _is_to_own_address(message)]
        for message in misaddressed:
            Message.objects.filter(pk=message.pk).update(
                state="cancelled",
                problem="The number or address belongs to someone else.",
                due_at=None,
            )
            write_event(
                "outreach.messages.cancelled",
                at=at,
                lead_id=message.lead_id,
                count=1,
                because="people_split",
            )
    return len(misaddressed)


def _is_to_own_address(message: Message) -> bool:
    if message.medium == "email":
        key = comparison_key(message.to_address)
        return Email.objects.filter(person=message.person_id, key=key).exists()
    numbers = Phone.objects.filter(person=message.person_id, unlinked_at=None)
    return numbers.filter(e164=message.to_address).exists()

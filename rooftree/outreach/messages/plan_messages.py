"""Build a message that could be queued: its row, unsaved, and the borrower's address.

Nothing here writes to the database or reaches a borrower. Only `send` queues and sends.
"""

from datetime import datetime
from typing import NotRequired, TypedDict

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.models import Message
from rooftree.outreach.wording.message_templates import MessageContent


class MessageSpec(TypedDict):
    """The content and destination of a message to queue; without `due_at` it is due at once."""

    lead: Lead
    medium: str
    purpose: str
    cause: str
    words: MessageContent
    to: str
    due_at: NotRequired[datetime | None]
    by: NotRequired[User]  # the user who typed it; absent for an automatic message


def build_message(planned: MessageSpec, at: datetime) -> Message:
    """Build the message as it would be queued, without saving it."""
    words = planned["words"]
    return Message(
        id=uuid7_at(at),
        idempotency_key=planned["cause"],
        medium=planned["medium"],
        lead=planned["lead"],
        person_id=planned["lead"].person_id,
        purpose=planned["purpose"],
        template=words.template,
        language=words.language,
        officer=words.officer,
        by=planned.get("by"),
        is_automated="by" not in planned,
        to_address=planned["to"],
        subject=words.subject,
        body=words.body,
        created_at=at,
        due_at=planned.get("due_at") or at,
    )


def address_for(lead: Lead, medium: str) -> str:
    """Return the number or address to reach this lead's person at; "" if there is none."""
    if medium == "text":
        return next((phone.e164 for phone in contact_points.usable_phones(lead.person)), "")
    return next((email.address for email in contact_points.usable_emails(lead.person)), "")

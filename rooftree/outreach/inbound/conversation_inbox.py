"""The two-way inbox: what borrowers wrote, unread first, and marking it read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.outreach.models import Message

SHOWN_FOR = timedelta(days=90)  # older conversations are found on the lead's own page
MAX_THREADS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One borrower who wrote to us, and the newest thing they said."""

    lead: Lead
    newest: Message
    unread: int


def list_threads(leads: QuerySet[Lead], *, at: datetime) -> list[Thread]:
    """The conversations about `leads`, unread first, then the newest. One query."""
    theirs = Message.objects.filter(
        direction="in", created_at__gt=at - SHOWN_FOR, lead__in=leads.values("pk")
    )
    found: dict[UUID, list[Message]] = {}
    for message in theirs.select_related("lead__person", "lead__source").order_by(
        "-created_at", "-id"
    )[: MAX_THREADS * 5]:
        found.setdefault(message.lead_id, []).append(message)
    made = [
        Thread(
            lead=rows[0].lead,
            newest=rows[0],
            unread=sum(row.read_at is None for row in rows),
        )
        for rows in found.values()
    ]
    return sorted(made, key=lambda one: not one.unread)[:MAX_THREADS]


def list_messages_of_lead(lead: Lead) -> list[Message]:
    """Both sides of one conversation, oldest first."""
    rows = Message.objects.filter(lead=lead).exclude(state__in=["cancelled", "blocked"])
    return list(rows.select_related("by", "verdict").order_by("-created_at", "-id")[:100])[::-1]


def mark_read(*, lead_id: UUID, by: UUID, at: datetime) -> int:
    """Everything they wrote so far has been seen; how much of it was new."""
    unread = Message.objects.filter(lead_id=lead_id, direction="in", read_at=None)
    with transaction.atomic():
        number = unread.update(read_at=at)
        if number:
            write_event(
                "outreach.messages.read",
                at=at,
                actor=f"user:{by}",
                lead_id=lead_id,
                number=number,
            )
    return number

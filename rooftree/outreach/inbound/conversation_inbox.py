"""Two-way inbox: borrowers' messages by lead, unread first, and marking them read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.outreach.models import Message

SHOWN_FOR = timedelta(days=90)  # older conversations are only on the lead's page
MAX_THREADS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One lead's conversation: the newest inbound message and the unread count."""

    lead: Lead
    newest: Message
    unread: int


def list_threads(leads: QuerySet[Lead], *, at: datetime) -> list[Thread]:
    """Return the conversations of `leads`, unread first, then newest first. One query."""
    inbound = Message.objects.filter(
        direction="in", created_at__gt=at - SHOWN_FOR, lead__in=leads.values("pk")
    )
    by_lead: dict[UUID, list[Message]] = {}
    for message in inbound.select_related("lead__person", "lead__source").order_by(
        "-created_at", "-id"
    )[: MAX_THREADS * 5]:
        by_lead.setdefault(message.lead_id, []).append(message)
    threads = [
        Thread(
            lead=rows[0].lead,
            newest=rows[0],
            unread=sum(row.read_at is None for row in rows),
        )
        for rows in by_lead.values()
    ]
    return sorted(threads, key=lambda thread: not thread.unread)[:MAX_THREADS]


def list_messages_of_lead(lead: Lead) -> list[Message]:
    """Return the newest 100 messages of a lead, both directions, oldest first."""
    rows = Message.objects.filter(lead=lead).exclude(state__in=["cancelled", "blocked"])
    return list(rows.select_related("by", "verdict").order_by("-created_at", "-id")[:100])[::-1]


def mark_read(*, lead_id: UUID, by: UUID, at: datetime) -> int:
    """Mark all inbound messages of a lead as read; return how many were unread."""
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

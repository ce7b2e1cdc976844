"""Two-way inbox: borrowers' messages by lead, unread first, and marking them read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from rooftree.leads.models import ContactAttempt, Lead
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
    needs_reply: bool  # no staff member has written or called since


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationEntry:
    """One message of a conversation, or one call between messages."""

    at: datetime
    message: Message | None = None
    call: ContactAttempt | None = None

    @property
    def is_from_borrower(self) -> bool:
        """Return True for a message that the borrower wrote."""
        return self.message is not None and self.message.direction == "in"


def list_threads(leads: QuerySet[Lead], *, at: datetime) -> list[Thread]:
    """Return the conversations of `leads`, unread first, then newest first. One query."""
    answers = ContactAttempt.objects.filter(
        lead=OuterRef("lead"), direction="out", is_automated=False, at__gte=OuterRef("created_at")
    )
    inbound = Message.objects.filter(
        direction="in", created_at__gt=at - SHOWN_FOR, lead__in=leads.values("pk")
    ).annotate(is_answered=Exists(answers))
    by_lead: dict[UUID, list[Message]] = {}
    for message in inbound.select_related("lead__person", "lead__source", "lead__officer").order_by(
        "-created_at", "-id"
    )[: MAX_THREADS * 5]:
        by_lead.setdefault(message.lead_id, []).append(message)
    threads = [
        Thread(
            lead=rows[0].lead,
            newest=rows[0],
            unread=sum(row.read_at is None for row in rows),
            needs_reply=not vars(rows[0])["is_answered"],
        )
        for rows in by_lead.values()
    ]
    return sorted(threads, key=lambda thread: not thread.unread)[:MAX_THREADS]


def list_messages_of_lead(lead: Lead) -> list[Message]:
    """Return the newest 100 messages of a lead, both directions, oldest first."""
    rows = Message.objects.filter(lead=lead).exclude(state__in=["cancelled", "blocked", "shadow"])
    return list(rows.select_related("by", "verdict").order_by("-created_at", "-id")[:100])[::-1]


def list_entries_of_lead(lead: Lead) -> list[ConversationEntry]:
    """Return the newest messages of a lead and the calls among them, oldest first."""
    messages = list_messages_of_lead(lead)
    calls = ContactAttempt.objects.filter(lead=lead, medium="call").order_by("-at", "-id")[:50]
    entries = [ConversationEntry(at=row.created_at, message=row) for row in messages]
    entries += [ConversationEntry(at=row.at, call=row) for row in calls]
    return sorted(entries, key=lambda entry: entry.at)


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

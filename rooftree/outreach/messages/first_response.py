"""The answer a borrower gets within seconds of asking."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Lead, Touch
from rooftree.outreach.messages import automatic_messages
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.models import Message

COUNTED_STATES = ("waiting", "held", "claimed", "sent", "delivered", "uncertain")
TOUCHES = PreparedQuery(
    lambda keys: Touch.objects.filter(pk__in=keys).order_by("at", "pk"), keys=list[UUID]
)
LEADS = PreparedQuery(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person", "officer__user")
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
EARLIER_MESSAGES = PreparedQuery(
    lambda leads: Message.objects.filter(
        lead__in=leads, direction="out", state__in=COUNTED_STATES
    ).only("lead_id", "cause", "medium", "created_at"),
    leads=list[UUID],
)
RECENT = timedelta(hours=24)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
NO_TEXT_STATUSES = frozenset({"Transferred"})  # Zillow's concierge has them on the line


def queue_first_responses(touch_ids: Collection[UUID], *, at: datetime) -> list[Message]:
    """Put the first text and e-mail of touches in line; those planned. See `wanted`."""
    return automatic_messages.queue_requests(build_requests(touch_ids, at=at), at=at)


def build_requests(touch_ids: Collection[UUID], *, at: datetime) -> list[MessageRequest]:
    """The first text and e-mail that touches ask for.

    The first touch gets both. A repeated inquiry gets a text when none has
    reached the borrower yet (it may have brought the consent the first one
    lacked), and an e-mail when none went out in the last day. Whether each may
    go is the gate's to say, when it is taken from the line. Safe to repeat, in
    whatever order touches come; must run in a transaction.
    """
    touches = TOUCHES.all(keys=list(touch_ids))
    leads = {lead.pk: lead for lead in LEADS.all(keys=[touch.lead_id for touch in touches])}
    in_line = EARLIER_MESSAGES.all(leads=[*leads])
    sent = [
        _EarlierMessage(
            earlier_message.lead_id,
            earlier_message.cause,
            earlier_message.medium,
            earlier_message.created_at,
        )
        for earlier_message in in_line
    ]
    found = []
    for touch in touches:
        for message_request in _requests_for_touch(touch, leads[touch.lead_id], sent, at):
            found.append(message_request)
            sent.append(
                _EarlierMessage(touch.lead_id, message_request.idempotency_key, message_request.medium, at)
            )
    return found


class _EarlierMessage(NamedTuple):
    """What went out or is in line."""

    lead_id: UUID
    cause: str
    medium: str
    at: datetime


def _requests_for_touch(
    touch: Touch, lead: Lead, sent: Iterable[_EarlierMessage], at: datetime
) -> list[MessageRequest]:
    if lead.is_test or lead.state in ("funded", "retired"):
        return []
    cause = f"touch:{touch.pk}"
    mine = [
        earlier_message
        for earlier_message in sent
        if earlier_message.lead_id == lead.pk and earlier_message.cause != cause
    ]
    earlier = [(one.medium, one.at) for one in mine]
    key = "again_hello" if earlier else "first_hello"
    return [
        MessageRequest(lead=lead, key=key, medium=medium, idempotency_key=cause)
        for medium in ("text", "email")
        if _is_needed(touch, medium, earlier, at)
    ]


def _is_needed(
    touch: Touch, medium: str, earlier: list[tuple[str, datetime]], at: datetime
) -> bool:
    if medium == "text" and touch.inquiry.get("vendor_status") in NO_TEXT_STATUSES:
        return False
    since = at - RECENT if medium == "email" else LONG_AGO
    return not any(one == medium and when > since for one, when in earlier)

"""The first text and email a borrower gets within seconds of an inquiry."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Lead, Touch
from rooftree.org import shadow_mode
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
        .select_related("person", "source", "officer__user")
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
EARLIER_MESSAGES = PreparedQuery(
    lambda leads: Message.objects.filter(
        Q(state__in=COUNTED_STATES) | Q(shadow_mode.shadow_is_on(), state="shadow"),
        lead__in=leads,
        direction="out",
    ).only("lead_id", "idempotency_key", "medium", "created_at"),
    leads=list[UUID],
)
RECENT = timedelta(hours=24)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
NO_TEXT_STATUSES = frozenset({"Transferred"})  # Zillow's concierge is on the phone with them


def queue_first_responses(touch_ids: Collection[UUID], *, at: datetime) -> list[Message]:
    """Queue the first text and email of touches; return those queued. See `build_requests`."""
    return automatic_messages.queue_requests(build_requests(touch_ids, at=at), at=at)


def build_requests(touch_ids: Collection[UUID], *, at: datetime) -> list[MessageRequest]:
    """Return the first text and email due for touches.

    The first touch gets both. A repeat inquiry gets a text if none was queued or sent before
    (it can bring the consent the first one lacked), and an email if none went out in the last
    day. The gate decides about each when it is due. Safe to repeat, in any order of touches;
    must run in a transaction.
    """
    touches = TOUCHES.all(keys=list(touch_ids))
    leads = {lead.pk: lead for lead in LEADS.all(keys=[touch.lead_id for touch in touches])}
    earlier = [
        _EarlierMessage(
            message.lead_id, message.idempotency_key, message.medium, message.created_at
        )
        for message in EARLIER_MESSAGES.all(leads=[*leads])
    ]
    requests = []
    for touch in touches:
        for request in _requests_for_touch(touch, leads[touch.lead_id], earlier, at):
            requests.append(request)
            earlier.append(
                _EarlierMessage(touch.lead_id, request.idempotency_key, request.medium, at)
            )
    return requests


class _EarlierMessage(NamedTuple):
    """A message already sent or queued."""

    lead_id: UUID
    idempotency_key: str
    medium: str
    at: datetime


def _requests_for_touch(
    touch: Touch, lead: Lead, earlier: Iterable[_EarlierMessage], at: datetime
) -> list[MessageRequest]:
    if lead.is_test or lead.state in ("funded", "retired"):
        return []
    cause = f"touch:{touch.pk}"
    of_lead = [
        message
        for message in earlier
        if message.lead_id == lead.pk and message.idempotency_key != cause
    ]
    key = "again_hello" if of_lead else "first_hello"
    requests = []
    for medium, since in (("text", LONG_AGO), ("email", at - RECENT)):
        if medium == "text" and touch.inquiry.get("vendor_status") in NO_TEXT_STATUSES:
            continue
        if not any(message.medium == medium and message.at > since for message in of_lead):
            requests.append(
                MessageRequest(lead=lead, key=key, medium=medium, idempotency_key=cause)
            )
    return requests

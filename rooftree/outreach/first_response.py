"""The answer a borrower gets within seconds of asking."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from rooftree.leads.models import Lead, Touch
from rooftree.org.compiled import Reads
from rooftree.outreach import automatic
from rooftree.outreach.automatic import Wanted
from rooftree.outreach.models import Message

COUNTS = ("waiting", "held", "claimed", "sent", "delivered", "uncertain")
TOUCHES = Reads(
    lambda keys: Touch.objects.filter(pk__in=keys).order_by("at", "pk"), keys=list[UUID]
)
LEADS = Reads(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person", "officer__user")
        .filter(pk__in=keys)
        .order_by("pk")
    ),
    keys=list[UUID],
)
IN_LINE = Reads(
    lambda leads: Message.objects.filter(lead__in=leads, direction="out", state__in=COUNTS).only(
        "lead_id", "cause", "medium", "created_at"
    ),
    leads=list[UUID],
)
RECENT = timedelta(hours=24)
NEVER = datetime.min.replace(tzinfo=UTC)
QUIET_STATUSES = frozenset({"Transferred"})  # Zillow's concierge has them on the line


def plan(touch_ids: Collection[UUID], *, at: datetime) -> list[Message]:
    """Put the first text and e-mail of touches in line; those planned. See `wanted`."""
    return automatic.plan_all(wanted(touch_ids, at=at), at=at)


def wanted(touch_ids: Collection[UUID], *, at: datetime) -> list[Wanted]:
    """The first text and e-mail that touches ask for.

    The first touch gets both. A repeated inquiry gets a text when none has
    reached the borrower yet (it may have brought the consent the first one
    lacked), and an e-mail when none went out in the last day. Whether each may
    go is the gate's to say, when it is taken from the line. Safe to repeat, in
    whatever order touches come; must run in a transaction.
    """
    touches = TOUCHES.all(keys=list(touch_ids))
    leads = {one.pk: one for one in LEADS.all(keys=[one.lead_id for one in touches])}
    in_line = IN_LINE.all(leads=[*leads])
    sent = [_Sent(one.lead_id, one.cause, one.medium, one.created_at) for one in in_line]
    found = []
    for touch in touches:
        for one in _wanted(touch, leads[touch.lead_id], sent, at):
            found.append(one)
            sent.append(_Sent(touch.lead_id, one.cause, one.medium, at))
    return found


class _Sent(NamedTuple):
    """What went out or is in line."""

    lead_id: UUID
    cause: str
    medium: str
    at: datetime


def _wanted(touch: Touch, lead: Lead, sent: Iterable[_Sent], at: datetime) -> list[Wanted]:
    if lead.is_test or lead.state in ("funded", "retired"):
        return []
    cause = f"touch:{touch.pk}"
    mine = [one for one in sent if one.lead_id == lead.pk and one.cause != cause]
    earlier = [(one.medium, one.at) for one in mine]
    key = "again_hello" if earlier else "first_hello"
    return [
        Wanted(lead=lead, key=key, medium=medium, cause=cause)
        for medium in ("text", "email")
        if _is_wanted(touch, medium, earlier, at)
    ]


def _is_wanted(
    touch: Touch, medium: str, earlier: list[tuple[str, datetime]], at: datetime
) -> bool:
    if medium == "text" and touch.inquiry.get("vendor_status") in QUIET_STATUSES:
        return False
    since = at - RECENT if medium == "email" else NEVER
    return not any(one == medium and when > since for one, when in earlier)

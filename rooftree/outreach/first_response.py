"""The answer a borrower gets within seconds of asking."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from rooftree.leads.models import Lead, Touch
from rooftree.org.compiled import Reads
from rooftree.outreach import automatic
from rooftree.outreach.models import Message

LEAD = Reads(
    lambda key: (
        Lead.objects.select_for_update(of=("self",))
        .select_related("person", "officer__user")
        .filter(pk=key)
    ),
    key=UUID,
)
RECENT = timedelta(hours=24)
NEVER = datetime.min.replace(tzinfo=UTC)
COUNTS = ("waiting", "held", "claimed", "sent", "delivered", "uncertain")
QUIET_STATUSES = frozenset({"Transferred"})  # Zillow's concierge has them on the line


def plan(*, touch: Touch, at: datetime) -> list[Message]:
    """Put the first text and e-mail of a touch in line; those planned.

    The first touch gets both. A repeated inquiry gets a text when none has
    reached the borrower yet (it may have brought the consent the first one
    lacked), and an e-mail when none went out in the last day. Whether each may
    go is the gate's to say, when it is taken from the line. Safe to repeat, in
    whatever order touches come; must run in a transaction.
    """
    lead = LEAD.one(key=touch.lead_id)
    if lead.is_test or lead.state in ("funded", "retired"):
        return []
    earlier = _earlier(lead, touch)
    media = [one for one in ("text", "email") if _is_wanted(touch, one, earlier, at)]
    return automatic.plan(
        lead=lead,
        key="again_hello" if earlier else "first_hello",
        cause=f"touch:{touch.pk}",
        media=media,
        at=at,
    )


def _earlier(lead: Lead, touch: Touch) -> list[tuple[str, datetime]]:
    """What went out or is in line besides this touch's own: media and moments."""
    messages = Message.objects.filter(lead=lead, direction="out", state__in=COUNTS)
    return list(messages.exclude(cause=f"touch:{touch.pk}").values_list("medium", "created_at"))


def _is_wanted(
    touch: Touch, medium: str, earlier: list[tuple[str, datetime]], at: datetime
) -> bool:
    if medium == "text" and touch.inquiry.get("vendor_status") in QUIET_STATUSES:
        return False
    since = at - RECENT if medium == "email" else NEVER
    return not any(one == medium and when > since for one, when in earlier)

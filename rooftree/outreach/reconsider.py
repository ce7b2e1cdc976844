"""Deciding again what waits, because what it waited for has changed."""

from datetime import datetime
from uuid import UUID

from rooftree.compliance.law import EVERYWHERE
from rooftree.leads import to_do
from rooftree.outreach import duties
from rooftree.outreach.models import Message

PROVEN_LATER = ("consent_evidence_incomplete",)


def now_proven(*, lead_id: UUID, at: datetime) -> int:
    """Automatic messages that lacked a proof of consent are decided anew; how many."""
    rows = Message.objects.filter(
        lead_id=lead_id,
        direction="out",
        is_automated=True,
        state="review",
        verdict__reason__in=PROVEN_LATER,
    )
    count = rows.update(state="waiting", due_at=at, problem="")
    for reason in PROVEN_LATER if count else ():
        to_do.cancel(
            lead_id=lead_id,
            kind=duties.kind_of(reason),
            because="Their consent certificate has come.",
            at=at,
        )
    return count


def held_under(place: str, *, at: datetime) -> int:
    """What is held where a rule has another value by now is decided anew at once; how many."""
    rows = Message.objects.filter(direction="out", state="held", due_at__gt=at)
    if place != EVERYWHERE:
        rows = rows.filter(verdict__facts__places__contains=[{"state": place}])
    return rows.update(due_at=at)

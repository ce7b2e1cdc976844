"""Deciding again what waits, because what it waited for has changed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from rooftree.compliance.law import EVERYWHERE
from rooftree.leads import to_do
from rooftree.outreach import duties
from rooftree.outreach.models import Message

PROVEN_LATER = ("consent_evidence_incomplete",)
ENTERED_LATER = ("license_words_not_on_file",)


def now_proven(*, lead_id: UUID, at: datetime) -> int:
    """Automatic messages that lacked a proof of consent are decided anew; how many."""
    rows = _waiting(PROVEN_LATER).filter(lead_id=lead_id, is_automated=True)
    return _decide_again(rows, because="Their consent certificate has come.", at=at)


def now_entered(*, at: datetime) -> int:
    """Messages for which our license could not be named as its state wants; how many."""
    return _decide_again(_waiting(ENTERED_LATER), because="Our license is on file.", at=at)


def now_asked(reasons: Sequence[str], *, at: datetime) -> int:
    """Messages that people had for want of a vendor to ask; how many."""
    return _decide_again(_waiting(reasons), because="A vendor is asked instead.", at=at)


def _waiting(reasons: Sequence[str]) -> QuerySet[Message]:
    return Message.objects.filter(direction="out", state="review", verdict__reason__in=reasons)


def _decide_again(rows: QuerySet[Message], *, because: str, at: datetime) -> int:
    about = set(rows.values_list("lead_id", "verdict__reason"))
    count = rows.update(state="waiting", due_at=at, problem="")
    for lead_id, reason in about:
        to_do.cancel(lead_id=lead_id, kind=duties.kind_of(reason), because=because, at=at)
    return count


def held_under(place: str, *, at: datetime) -> int:
    """What is held where a rule has another value by now is decided anew at once; how many."""
    rows = Message.objects.filter(direction="out", state="held", due_at__gt=at)
    if place != EVERYWHERE:
        rows = rows.filter(verdict__facts__places__contains=[{"state": place}])
    return rows.update(due_at=at)

"""Promises kept: of every promise that came due, how many were kept by their time.

A promise that nobody tried to keep counts as soon as its time is over; docs/how-counted.md says
it in words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet

from rooftree.org.models import User
from rooftree.routing.models import Promise
from rooftree.routing.permissions import leads_visible_to

KEPT_ON_TIME = Q(kept_at__isnull=False, kept_at__lte=F("due_at"))
# Canceled before its time was over: nothing was owed when it came due.
CAME_TO_NOTHING = Q(canceled_at__isnull=False, breached_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPromises:
    """Promises that came due, and those of them that were kept in time."""

    due: int
    kept: int


def promises_today(user: User, at: datetime) -> QuerySet[Promise]:
    """Return the promises that came due today on leads a user can see, kept early included."""
    rows = promises_due(midnight_of(user, at), at)
    return rows.filter(lead__in=leads_visible_to(user).values("pk"))


def promises_due(since: datetime, at: datetime) -> QuerySet[Promise]:
    """Return the promises that came due from `since` to `at`, and later ones kept already."""
    came_due = Q(due_at__lte=at) | Q(kept_at__lte=at, due_at__lt=since + timedelta(days=1))
    return Promise.objects.filter(came_due, due_at__gte=since).exclude(CAME_TO_NOTHING)


def count_kept(rows: QuerySet[Promise], *, at: datetime) -> KeptPromises:
    """Count promises that came due, and those kept by their time. One query."""
    counts = rows.aggregate(due=Count("pk"), kept=Count("pk", filter=KEPT_ON_TIME))
    return KeptPromises(due=counts["due"], kept=counts["kept"])


def midnight_of(user: User, at: datetime) -> datetime:
    """Return the beginning of today in the zone of the user's branch."""
    zone = ZoneInfo(user.branch.zone if user.branch else "America/New_York")
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)

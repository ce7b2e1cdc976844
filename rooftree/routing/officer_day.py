"""One loan officer's day: what is due, what was done, and how many leads they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer
from rooftree.routing import promise_figures
from rooftree.routing.models import OPEN_PROMISE, Promise
from rooftree.routing.promise_figures import KeptPromises

MAX_LISTED = 30
STATE_NAMES = {
    "new": "New",
    "working": "Working",
    "nurture": "Nurture",
    "application": "Application",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerDay:
    """An officer's day: what they did today and owe now."""

    promises: KeptPromises
    open_promises: Sequence[Promise]  # soonest first, late ones on top
    covered: Sequence[Promise]  # for other officers, as their backup
    attempts: Sequence[ContactAttempt]  # newest first
    calls: int
    leads_by_state: Sequence[tuple[str, str, int]]  # state, name, leads

    @property
    def lead_count(self) -> int:
        return sum(count for _, _, count in self.leads_by_state)


def load_officer_day(officer: LoanOfficer, *, at: datetime) -> OfficerDay:
    """Load an officer's day since midnight in their own zone. Six queries."""
    zone = working_hours.zone_of(officer.zone)
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    due = promise_figures.promises_due(midnight, at).filter(officer=officer)
    still_open = Promise.objects.filter(OPEN_PROMISE).select_related("lead__person")
    attempts = ContactAttempt.objects.filter(
        by_id=officer.user_id, direction="out", at__gte=midnight, at__lte=at
    )
    counts = dict(owned_leads(officer).values_list("state").annotate(count=Count("pk")).order_by())
    return OfficerDay(
        promises=promise_figures.count_kept(due, at=at),
        open_promises=list(still_open.filter(officer=officer).order_by("due_at")[:MAX_LISTED]),
        covered=list(
            still_open.filter(backup=officer)
            .select_related("officer__user")
            .order_by("due_at")[:MAX_LISTED]
        ),
        attempts=list(attempts.select_related("lead__person").order_by("-at")[:MAX_LISTED]),
        calls=attempts.filter(medium="call").count(),
        leads_by_state=[(state, name, counts.get(state, 0)) for state, name in STATE_NAMES.items()],
    )


def owned_leads(officer: LoanOfficer) -> QuerySet[Lead]:
    """Return the leads an officer has in work, nurture or application."""
    return Lead.objects.filter(Q(officer=officer), state__in=STATE_NAMES, retired_at=None)

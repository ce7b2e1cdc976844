"""What a branch manager watches: who waits, with whom, and who is taking leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from rooftree.leads.models import Lead
from rooftree.org import hours
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import promise
from rooftree.routing.models import Offer
from rooftree.routing.rule_words import PURPOSES
from rooftree.routing.visible import leads_visible_to, officers_visible_to

PROMISE = timedelta(minutes=5)  # an attempt later than this is a promise broken
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A lead nobody has tried yet."""

    lead_id: UUID
    name: str
    what: str  # "LendingTree purchase, $298,000, TX"
    promise_at: datetime | None
    is_late: bool
    officer_id: UUID | None
    officer: str  # "" when nobody
    offered_until: datetime | None  # None: theirs, or nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A loan officer on the wall."""

    officer_id: UUID
    name: str
    availability: str  # available | paused | off_work
    said: str  # in words
    open: int  # leads had and not yet reached
    median_seconds: int | None  # to the first attempt, today


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """The whole page."""

    waiting: tuple[Waiting, ...]
    people: tuple[Member, ...]
    late: int
    longest_wait: timedelta | None
    median_seconds: int | None  # of the leads first tried today
    tried_today: int
    kept_today: int  # of those, tried by the promised time

    @property
    def taking(self) -> int:
        return sum(member.availability == "available" for member in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    officer_id: UUID | None
    seconds: float
    kept: bool


def wall(user: User, *, at: datetime) -> Wall:
    """The wall of the branches a user may see. Three queries, however many rows."""
    waiting = _waiting(user, at)
    tried = _tried_today(user, at)
    since = [at - lead.created_at for lead in waiting]
    rows = tuple(_waiting_row(lead, at) for lead in waiting)
    return Wall(
        waiting=rows,
        people=_people(user, tried, at),
        late=sum(row.is_late for row in rows),
        longest_wait=max(since, default=None),
        median_seconds=_median(tried),
        tried_today=len(tried),
        kept_today=sum(one.kept for one in tried),
    )


def _waiting(user: User, at: datetime) -> QuerySet[Lead]:
    live = Offer.objects.filter(lead=OuterRef("pk"), taken_at=None, passed_at=None, lapsed_at=None)
    return (
        leads_visible_to(user)
        .filter(promise.RUNS)
        .select_related("person", "source", "officer__user")
        .annotate(
            offered_to=Subquery(live.values("officer_id")[:1]),
            offered_name=Subquery(live.values("officer__user__name")[:1]),
            offered_until=Subquery(live.values("due_at")[:1]),
        )
        .order_by("promise_at", "id")[:LONGEST]
    )


def _waiting_row(lead: Lead, at: datetime) -> Waiting:
    offered_name = lead.offered_name or ""  # type: ignore[attr-defined]
    parts = [f"{lead.source.name} {PURPOSES.get(lead.purpose, 'inquiry')}"]
    if lead.amount_cents:
        parts.append(f"${lead.amount_cents // 100:,}")
    if lead.property_state:
        parts.append(lead.property_state)
    return Waiting(
        lead_id=lead.pk,
        name=lead.person.name,
        what=", ".join(parts),
        promise_at=lead.promise_at,
        is_late=lead.promise_at is not None and lead.promise_at < at,
        officer_id=lead.officer_id or lead.offered_to,  # type: ignore[attr-defined]
        officer=lead.officer.user.name if lead.officer else offered_name,
        offered_until=None if lead.officer else lead.offered_until,  # type: ignore[attr-defined]
    )


def _tried_today(user: User, at: datetime) -> list[_Tried]:
    zone = ZoneInfo(user.branch.zone if user.branch else "America/New_York")
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = leads_visible_to(user).filter(
        created_at__gte=midnight, first_attempt_at__gte=midnight, first_attempt_at__lte=at
    )
    rows = found.values_list(
        "officer_id", "created_at", "promise_at", "first_attempt_at", *promise.PLACE
    )
    return [
        _Tried(
            officer_id=officer_id,
            seconds=(tried - created).total_seconds(),
            kept=tried <= (promised or promise.lawful(*place, by=created + PROMISE, at=created)),
        )
        for officer_id, created, promised, tried, *place in rows
        if tried
    ]


def _people(user: User, tried: Sequence[_Tried], at: datetime) -> tuple[Member, ...]:
    """Those who take leads now first."""
    unreached = Q(leads__first_talk_at=None, leads__state__in=promise.EARLY)
    officers = (
        officers_visible_to(user)
        .filter(terminated_at=None)
        .annotate(user_name=F("user__name"), unreached=Count("leads", filter=unreached))
        .order_by("user__name", "id")
    )
    members = [_member(officer, tried, at) for officer in officers]
    return tuple(sorted(members, key=lambda one: one.availability != "available"))


def _member(officer: LoanOfficer, tried: Sequence[_Tried], at: datetime) -> Member:
    availability, said = _availability(officer, at)
    return Member(
        officer_id=officer.pk,
        name=officer.user_name,  # type: ignore[attr-defined]
        availability=availability,
        said=said,
        open=officer.unreached,  # type: ignore[attr-defined]
        median_seconds=_median([one for one in tried if one.officer_id == officer.pk]),
    )


def _availability(officer: LoanOfficer, at: datetime) -> tuple[str, str]:
    if officer.paused_at and officer.paused_at <= at:
        return "paused", "Not taking leads"
    if hours.is_open(officer.hours, zone=officer.zone, at=at):
        return "available", "Available"
    opening = hours.next_opening(officer.hours, zone=officer.zone, at=at)
    if opening is None:
        return "off_work", "Has no hours yet"
    local = opening.astimezone(hours.zone_of(officer.zone))
    return "off_work", f"Off until {local:%a} {local:%I:%M %p}".replace(" 0", " ")


def _median(tried: Sequence[_Tried]) -> int | None:
    return round(median(one.seconds for one in tried)) if tried else None

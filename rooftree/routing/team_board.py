"""The team board: leads waiting for a first call, and officers' availability."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from rooftree.leads.models import Lead
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import response_deadline
from rooftree.routing.models import Offer
from rooftree.routing.permissions import leads_visible_to, officers_visible_to
from rooftree.routing.rule_sentences import PURPOSE_NAMES

RESPONSE_LIMIT = timedelta(minutes=5)  # a first attempt later than this is late
MAX_WAITING = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """A lead with no attempt yet."""

    lead_id: UUID
    name: str
    summary: str  # "LendingTree purchase, $298,000, TX"
    response_due_at: datetime | None
    is_late: bool
    officer_id: UUID | None
    officer: str  # "" when no one
    offered_until: datetime | None  # None: owned by the officer, or unowned


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """A loan officer on the team board."""

    officer_id: UUID
    name: str
    availability: str  # available | paused | off_work
    availability_text: str  # in words
    open: int  # leads owned, borrower not yet reached
    median_seconds: int | None  # to the first attempt, today


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamBoard:
    """The whole team board."""

    waiting: tuple[WaitingLead, ...]
    people: tuple[TeamMember, ...]
    late: int
    longest_wait: timedelta | None
    median_seconds: int | None  # of leads first tried today
    tried_today: int
    on_time_today: int  # of those, tried by their deadline

    @property
    def available_count(self) -> int:
        return sum(member.availability == "available" for member in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirstAttempt:
    officer_id: UUID | None
    seconds: float
    is_on_time: bool


def load_team_board(user: User, *, at: datetime) -> TeamBoard:
    """Load the team board of the branches a user can see, in three queries."""
    waiting = _waiting_leads(user, at)
    tried = _first_attempts_today(user, at)
    waits = [at - lead.created_at for lead in waiting]
    rows = tuple(_build_waiting_row(lead, at) for lead in waiting)
    return TeamBoard(
        waiting=rows,
        people=_build_members(user, tried, at),
        late=sum(row.is_late for row in rows),
        longest_wait=max(waits, default=None),
        median_seconds=_median_seconds(tried),
        tried_today=len(tried),
        on_time_today=sum(attempt.is_on_time for attempt in tried),
    )


def _waiting_leads(user: User, at: datetime) -> QuerySet[Lead]:
    live = Offer.objects.filter(
        lead=OuterRef("pk"), accepted_at=None, declined_at=None, expired_at=None
    )
    return (
        leads_visible_to(user)
        .filter(response_deadline.FIRST_CALL_OWED)
        .select_related("person", "source", "officer__user")
        .annotate(
            offered_to=Subquery(live.values("officer_id")[:1]),
            offered_name=Subquery(live.values("officer__user__name")[:1]),
            offered_until=Subquery(live.values("due_at")[:1]),
        )
        .order_by("response_due_at", "id")[:MAX_WAITING]
    )


def _build_waiting_row(lead: Lead, at: datetime) -> WaitingLead:
    offered_name = lead.offered_name or ""  # type: ignore[attr-defined]
    parts = [f"{lead.source.name} {PURPOSE_NAMES.get(lead.purpose, 'inquiry')}"]
    if lead.amount_cents:
        parts.append(f"${lead.amount_cents // 100:,}")
    if lead.property_state:
        parts.append(lead.property_state)
    return WaitingLead(
        lead_id=lead.pk,
        name=lead.person.name,
        summary=", ".join(parts),
        response_due_at=lead.response_due_at,
        is_late=lead.response_due_at is not None and lead.response_due_at < at,
        officer_id=lead.officer_id or lead.offered_to,  # type: ignore[attr-defined]
        officer=lead.officer.user.name if lead.officer else offered_name,
        offered_until=None if lead.officer else lead.offered_until,  # type: ignore[attr-defined]
    )


def _first_attempts_today(user: User, at: datetime) -> list[_FirstAttempt]:
    zone = ZoneInfo(user.branch.zone if user.branch else "America/New_York")
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    leads = leads_visible_to(user).filter(
        created_at__gte=midnight, first_attempt_at__gte=midnight, first_attempt_at__lte=at
    )
    rows = leads.values_list(
        "officer_id",
        "created_at",
        "response_due_at",
        "first_attempt_at",
        *response_deadline.PLACE_COLUMNS,
    )
    return [
        _FirstAttempt(
            officer_id=officer_id,
            seconds=(tried - created).total_seconds(),
            is_on_time=tried
            <= (
                promised
                or response_deadline.callable_deadline(
                    *place, by=created + RESPONSE_LIMIT, at=created
                )
            ),
        )
        for officer_id, created, promised, tried, *place in rows
        if tried
    ]


def _build_members(
    user: User, tried: Sequence[_FirstAttempt], at: datetime
) -> tuple[TeamMember, ...]:
    """Build the members, available officers first."""
    unreached = Q(
        leads__first_conversation_at=None, leads__state__in=response_deadline.EARLY_STATES
    )
    officers = (
        officers_visible_to(user)
        .filter(terminated_at=None)
        .annotate(user_name=F("user__name"), unreached=Count("leads", filter=unreached))
        .order_by("user__name", "id")
    )
    members = [_build_member(officer, tried, at) for officer in officers]
    return tuple(sorted(members, key=lambda member: member.availability != "available"))


def _build_member(officer: LoanOfficer, tried: Sequence[_FirstAttempt], at: datetime) -> TeamMember:
    availability, text = _describe_availability(officer, at)
    return TeamMember(
        officer_id=officer.pk,
        name=officer.user_name,  # type: ignore[attr-defined]
        availability=availability,
        availability_text=text,
        open=officer.unreached,  # type: ignore[attr-defined]
        median_seconds=_median_seconds(
            [attempt for attempt in tried if attempt.officer_id == officer.pk]
        ),
    )


def _describe_availability(officer: LoanOfficer, at: datetime) -> tuple[str, str]:
    if officer.paused_at and officer.paused_at <= at:
        return "paused", "Not taking leads"
    if working_hours.is_open(officer.hours, zone=officer.zone, at=at):
        return "available", "Available"
    opening = working_hours.next_opening(officer.hours, zone=officer.zone, at=at)
    if opening is None:
        return "off_work", "No working hours set"
    local = opening.astimezone(working_hours.zone_of(officer.zone))
    return "off_work", f"Off until {local:%a} {local:%I:%M %p}".replace(" 0", " ")


def _median_seconds(tried: Sequence[_FirstAttempt]) -> int | None:
    return round(median(attempt.seconds for attempt in tried)) if tried else None

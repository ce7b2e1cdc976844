"""The team board: leads waiting for a first call, and officers' availability."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer, User
from rooftree.routing import promise_figures, promise_watch, response_deadline, time_off, work_queue
from rooftree.routing.models import Offer, Promise, TimeOff
from rooftree.routing.permissions import leads_visible_to, officers_visible_to
from rooftree.routing.promise_figures import KeptPromises
from rooftree.routing.rule_sentences import PURPOSE_NAMES

MAX_WAITING = 200
MAX_ALARMS = 8  # shown on the board; the list of late promises has all
MAX_CALL = timedelta(minutes=45)  # a call without an end or an outcome counts as running so long


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """A lead with no attempt yet."""

    lead_id: UUID
    name: str
    summary: str  # "LendingTree purchase, $298,000, TX"
    response_due_at: datetime | None
    is_late: bool  # not while calls to the borrower are closed
    call_hours_text: str  # "OK to call 8:00 AM borrower's time"; "" while calls are open
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
    on_call_since: datetime | None  # on a call right now
    zone: str

    @property
    def status_text(self) -> str:
        """The officer's status now: on a call, or else their availability."""
        if self.on_call_since is None:
            return self.availability_text
        since = self.on_call_since.astimezone(working_hours.zone_of(self.zone))
        return f"On a call since {since:%I:%M %p}".replace(" 0", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamBoard:
    """The whole team board."""

    waiting: tuple[WaitingLead, ...]
    people: tuple[TeamMember, ...]
    late: int
    longest_wait: timedelta | None
    longest_waiting_id: UUID | None
    median_seconds: int | None  # of leads first tried today
    tried_today: int
    promises: KeptPromises  # that came due today
    alarms: tuple[Promise, ...]  # late and escalated, oldest first
    alarm_count: int

    @property
    def available_count(self) -> int:
        return sum(member.availability == "available" for member in self.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirstAttempt:
    officer_id: UUID | None
    seconds: float


def load_team_board(user: User, *, at: datetime) -> TeamBoard:
    """Load the team board of the branches a user can see, in seven queries."""
    waiting = list(_waiting_leads(user, at))
    tried = [
        _FirstAttempt(officer_id=officer_id, seconds=(tried_at - created_at).total_seconds())
        for officer_id, created_at, tried_at in first_attempts_today(user, at).values_list(
            "officer_id", "created_at", "first_attempt_at"
        )
        if tried_at
    ]
    late = promise_watch.late_promises(leads_visible_to(user))
    alarms = list(late.select_related("lead__person", "officer__user", "backup__user"))
    longest = min(waiting, key=lambda lead: lead.created_at, default=None)
    rows = tuple(_build_waiting_row(lead, at) for lead in waiting)
    return TeamBoard(
        waiting=rows,
        people=_build_members(user, tried, at),
        late=sum(row.is_late for row in rows),
        longest_wait=at - longest.created_at if longest else None,
        longest_waiting_id=longest.pk if longest else None,
        median_seconds=_median_seconds(tried),
        tried_today=len(tried),
        promises=promise_figures.count_kept(promise_figures.promises_today(user, at), at=at),
        alarms=tuple(alarms[:MAX_ALARMS]),
        alarm_count=len(alarms),
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
            primary_number=response_deadline.PRIMARY_NUMBER,
            rule_changes=response_deadline.RULE_CHANGES,
            offered_to=Subquery(live.values("officer_id")[:1]),
            offered_name=Subquery(live.values("officer__user__name")[:1]),
            offered_until=Subquery(live.values("due_at")[:1]),
        )
        .order_by("response_due_at", "id")[:MAX_WAITING]
    )


def _build_waiting_row(lead: Lead, at: datetime) -> WaitingLead:
    offered_name = lead.offered_name or ""  # type: ignore[attr-defined]
    place = (
        lead.primary_number,  # type: ignore[attr-defined]
        lead.property_state,
        lead.property_zip,
        lead.rule_changes,  # type: ignore[attr-defined]
    )
    is_due = lead.response_due_at is not None and lead.response_due_at < at
    opens = response_deadline.calls_closed_until(*place, at=at) if is_due else None
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
        is_late=is_due and opens is None,
        call_hours_text=work_queue.describe_opening(opens, at) if opens else "",
        officer_id=lead.officer_id or lead.offered_to,  # type: ignore[attr-defined]
        officer=lead.officer.user.name if lead.officer else offered_name,
        offered_until=None if lead.officer else lead.offered_until,  # type: ignore[attr-defined]
    )


def first_attempts_today(user: User, at: datetime) -> QuerySet[Lead]:
    """Return the visible leads that arrived today and were tried today."""
    midnight = promise_figures.midnight_of(user, at)
    return leads_visible_to(user).filter(
        created_at__gte=midnight, first_attempt_at__gte=midnight, first_attempt_at__lte=at
    )


def list_members(user: User, *, at: datetime) -> tuple[TeamMember, ...]:
    """List the officers a user can see, available ones first, without today's figures."""
    return _build_members(user, (), at)


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
    people = list(officers)
    days_off = time_off.find_days_off(people, at=at)
    calls = _running_calls(people, at)
    members = [
        _build_member(
            officer, tried, describe_availability(officer, days_off[officer.pk], at), calls
        )
        for officer in people
    ]
    return tuple(sorted(members, key=lambda member: member.availability != "available"))


def _build_member(
    officer: LoanOfficer,
    tried: Sequence[_FirstAttempt],
    availability: tuple[str, str],
    calls: dict[UUID, datetime],
) -> TeamMember:
    return TeamMember(
        officer_id=officer.pk,
        name=officer.user_name,  # type: ignore[attr-defined]
        availability=availability[0],
        availability_text=availability[1],
        open=officer.unreached,  # type: ignore[attr-defined]
        median_seconds=_median_seconds(
            [attempt for attempt in tried if attempt.officer_id == officer.pk]
        ),
        on_call_since=calls.get(officer.user_id),
        zone=officer.zone,
    )


def _running_calls(officers: Sequence[LoanOfficer], at: datetime) -> dict[UUID, datetime]:
    """Return when the running call of each user began: neither ended nor given an outcome."""
    calls = ContactAttempt.objects.filter(
        medium="call",
        by__in=[officer.user_id for officer in officers],
        result="",
        seconds=None,
        failed_at=None,
        completed_at=None,
        at__gt=at - MAX_CALL,
        at__lte=at,
    )
    return {key: began for key, began in calls.order_by("at").values_list("by", "at") if key}


def describe_availability(
    officer: LoanOfficer, days_off: Sequence[TimeOff], at: datetime
) -> tuple[str, str]:
    """Describe if an officer takes leads: a code and a phrase with the time they are back."""
    zone = working_hours.zone_of(officer.zone)
    if off := time_off.current_time_off(officer, days_off, at=at):
        back = time_off.next_working_time(officer, days_off, at=at)
        note = f" ({off.note})" if off.note else ""
        until = f" until {_format_opening(back, zone)}" if back else ""
        return "time_off", f"Time off{until}{note}"
    if officer.paused_at and officer.paused_at <= at:
        until = (
            f" until {_format_opening(officer.paused_until, zone)}" if officer.paused_until else ""
        )
        why = f": {officer.pause_reason}" if officer.pause_reason else ""
        return "paused", f"Not taking leads{until}{why}"
    if working_hours.is_open(officer.hours, zone=officer.zone, at=at):
        return "available", "Available"
    opening = time_off.next_working_time(officer, days_off, at=at)
    if opening is None:
        return "off_work", "No working hours set"
    return "off_work", f"Off until {_format_opening(opening, zone)}"


def _format_opening(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local:%I:%M %p}".replace(" 0", " ")


def _median_seconds(tried: Sequence[_FirstAttempt]) -> int | None:
    return round(median(attempt.seconds for attempt in tried)) if tried else None

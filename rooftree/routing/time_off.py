"""Days off of loan officers, and company holidays. Days are in the officer's own time zone."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.transaction import atomic

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write_events import write_event
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer, User
from rooftree.routing.models import TimeOff

MAX_DAYS = 366
LOOK_AHEAD = timedelta(days=400)


class InvalidTimeOff(InvalidField):
    """The days are invalid. The text is fit to show."""


def add_time_off(
    *, officer_id: UUID | None, first: date, last: date, note: str, by: User, at: datetime
) -> TimeOff:
    """Enter days off for one officer, or for everyone (None: a company holiday).

    `last` is the last day off. Raises `InvalidTimeOff`.
    """
    if last < first:
        raise InvalidTimeOff("last", "Choose a last day on or after the first day.")
    if last < at.date() - timedelta(days=1):
        raise InvalidTimeOff("last", "Choose days that aren't over yet.")
    if (last - first).days > MAX_DAYS:
        raise InvalidTimeOff("last", "Enter at most one year.")
    with atomic():
        row = TimeOff.objects.create(
            id=uuid7_at(at),
            officer_id=officer_id,
            from_date=first,
            until_date=last + timedelta(days=1),
            note=note.strip()[:120],
            entered_by=by,
            entered_at=at,
        )
        write_event(
            "routing.time_off.entered",
            at=at,
            actor=f"user:{by.pk}",
            officer_id=officer_id,
            from_date=str(first),
            until_date=str(row.until_date),
        )
    return row


def cancel_time_off(*, time_off_id: UUID, by: User, at: datetime) -> bool:
    """Cancel days off; return False if they were canceled before."""
    with atomic():
        rows = TimeOff.objects.filter(pk=time_off_id, canceled_at=None)
        changed = bool(rows.update(canceled_at=at))
        if changed:
            write_event(
                "routing.time_off.canceled", at=at, actor=f"user:{by.pk}", time_off=time_off_id
            )
    return changed


def list_holidays(*, at: datetime) -> QuerySet[TimeOff]:
    """Return current and coming company holidays, soonest first."""
    rows = TimeOff.objects.filter(officer=None, canceled_at=None, until_date__gt=at.date())
    return rows.order_by("from_date", "id")


def find_days_off(officers: Iterable[LoanOfficer], *, at: datetime) -> dict[UUID, list[TimeOff]]:
    """Return the current and coming days off of each officer, holidays included. One query."""
    people = list(officers)
    rows = list(
        TimeOff.objects.filter(
            Q(officer__in=people) | Q(officer=None),
            canceled_at=None,
            until_date__gte=at.date(),
            from_date__lt=at.date() + LOOK_AHEAD,
        ).order_by("from_date")
    )
    return {
        officer.pk: [row for row in rows if row.officer_id in (officer.pk, None)]
        for officer in people
    }


def current_time_off(
    officer: LoanOfficer, days_off: Iterable[TimeOff], *, at: datetime
) -> TimeOff | None:
    """Return the days off that cover this moment in the officer's zone, or None."""
    today = working_hours.local_date(officer.zone, at)
    return next((row for row in days_off if row.from_date <= today < row.until_date), None)


def next_working_time(
    officer: LoanOfficer, days_off: Iterable[TimeOff], *, at: datetime
) -> datetime | None:
    """Return when the officer works next, `at` or later; None without working hours."""
    rows = list(days_off)
    for _ in range(len(rows) + 1):
        opening = working_hours.next_opening(officer.hours, zone=officer.zone, at=at)
        if opening is None:
            return None
        off = current_time_off(officer, rows, at=opening)
        if off is None:
            return opening
        zone = working_hours.zone_of(officer.zone)
        at = datetime.combine(off.until_date, time(0), zone).astimezone(opening.tzinfo)
    return None

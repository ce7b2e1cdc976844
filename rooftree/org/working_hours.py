"""Working hours of loan officers, in the officer's own time zone."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rooftree.core.holidays import is_business_day, is_federal_holiday
from rooftree.core.user_errors import UserError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WeeklyHours = Mapping[str, Sequence[str]]  # {"mon": ["08:00", "18:00"]}; a missing day is a day off
LOOK_AHEAD_DAYS = 8
MORNING = time(9)  # when tasks are due that name only a day
MAX_DAYS_OFF = 30  # an officer without a workday in this time has no workdays


class InvalidHours(UserError):
    """The hours are invalid."""


def is_open(hours: WeeklyHours, *, zone: str, at: datetime) -> bool:
    """Return True if `at` is within the hours. Opening is inside, closing is not."""
    _, weekday, clock = _local_parts(zone, at)
    span = hours.get(weekday)
    if not span:
        return False
    return span[0] <= clock < span[1]


def next_opening(hours: WeeklyHours, *, zone: str, at: datetime) -> datetime | None:
    """Return the earliest time, `at` or later, within the hours, in UTC.

    None when no day of the week has hours.
    """
    if is_open(hours, zone=zone, at=at):
        return at
    here = zone_of(zone)
    today = local_date(zone, at)
    for ahead in range(LOOK_AHEAD_DAYS):
        opening = _opening_moment(hours, today + timedelta(days=ahead), here)
        if opening and opening > at:
            return opening
    return None


def workday_morning(hours: WeeklyHours, *, zone: str, at: datetime, days: int = 1) -> datetime:
    """Return 9 AM in `zone`, `days` from today or on the next workday after, in UTC.

    Workdays are the days with hours, Monday to Friday if there are none, without federal holidays.
    """
    wanted = local_date(zone, at) + timedelta(days=days)
    ahead = (wanted + timedelta(days=more) for more in range(MAX_DAYS_OFF))
    day = next((day for day in ahead if is_workday(hours, day)), wanted)
    return datetime.combine(day, MORNING, zone_of(zone)).astimezone(UTC)


def is_workday(hours: WeeklyHours, day: date) -> bool:
    """Return True if someone with these hours works that day; federal holidays are off."""
    if not any(hours.values()):
        return is_business_day(day)
    return bool(hours.get(WEEKDAYS[day.weekday()])) and not is_federal_holiday(day)


def local_date(zone: str, at: datetime) -> date:
    """Return the calendar day in `zone`."""
    return _local_parts(zone, at)[0]


def local_clock(zone: str, at: datetime) -> tuple[str, str]:
    """Return the weekday (`mon`) and the time (`08:00`) in `zone`."""
    return _local_parts(zone, at)[1:]


def check_hours(hours: WeeklyHours) -> None:
    """Raise `InvalidHours` unless every day is known and opens before it closes."""
    for day, span in hours.items():
        if day not in WEEKDAYS:
            raise InvalidHours(f"{day} is not a day of the week.")
        if not span:
            continue
        if len(span) != 2 or not all(_is_clock_time(word) for word in span) or span[0] >= span[1]:
            weekday = calendar.day_name[WEEKDAYS.index(day)]
            raise InvalidHours(
                f"Enter an opening time and a later closing time for {weekday}, such as 08:00."
            )


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Return the time zone with an IANA name."""
    return ZoneInfo(name)


@lru_cache(maxsize=256)  # one assignment checks many officers at one moment
def _local_parts(zone: str, at: datetime) -> tuple[date, str, str]:
    local = at.astimezone(zone_of(zone))
    return local.date(), WEEKDAYS[local.weekday()], f"{local:%H:%M}"


def _opening_moment(hours: WeeklyHours, day: date, zone: ZoneInfo) -> datetime | None:
    span = hours.get(WEEKDAYS[day.weekday()])
    if not span:
        return None
    # Through UTC, so that an opening in the hour skipped in spring becomes a real time.
    return datetime.combine(day, time.fromisoformat(span[0]), zone).astimezone(UTC)


def _is_clock_time(word: str) -> bool:
    if word == "24:00":
        return True
    try:
        time.fromisoformat(word)
    except ValueError:
        return False
    return len(word) == 5

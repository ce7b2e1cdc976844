"""When a loan officer works, by the officer's own clock."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rooftree.core.user_errors import UserError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WeeklyHours = Mapping[str, Sequence[str]]  # {"mon": ["08:00", "18:00"]}; an absent day is free
LOOK_AHEAD_DAYS = 8


class InvalidHours(UserError):
    """The hours cannot be read."""


def is_open(hours: WeeklyHours, *, zone: str, at: datetime) -> bool:
    """Whether `at` falls inside the hours. Opening is inside, closing is not."""
    _, weekday, clock = _local_parts(zone, at)
    span = hours.get(weekday)
    if not span:
        return False
    return span[0] <= clock < span[1]


def next_opening(hours: WeeklyHours, *, zone: str, at: datetime) -> datetime | None:
    """The earliest moment, `at` or later, inside the hours, in UTC.

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


def local_date(zone: str, at: datetime) -> date:
    """The calendar day it is in `zone`."""
    return _local_parts(zone, at)[0]


def local_clock(zone: str, at: datetime) -> tuple[str, str]:
    """The weekday (`mon`) and the time (`08:00`) it is in `zone`."""
    return _local_parts(zone, at)[1:]


def check_hours(hours: WeeklyHours) -> None:
    """Raise `BadHours` unless every day is known and opens before it closes."""
    for day, span in hours.items():
        if day not in WEEKDAYS:
            raise InvalidHours(f"{day} is not a day of the week.")
        if not span:
            continue
        if len(span) != 2 or not all(_is_clock_time(word) for word in span) or span[0] >= span[1]:
            raise InvalidHours(f"The hours of {day} need an opening and a later closing, as 08:00.")


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name."""
    return ZoneInfo(name)


@lru_cache(maxsize=256)  # one choice asks about many officers at one moment
def _local_parts(zone: str, at: datetime) -> tuple[date, str, str]:
    local = at.astimezone(zone_of(zone))
    return local.date(), WEEKDAYS[local.weekday()], f"{local:%H:%M}"


def _opening_moment(hours: WeeklyHours, day: date, zone: ZoneInfo) -> datetime | None:
    span = hours.get(WEEKDAYS[day.weekday()])
    if not span:
        return None
    # Through UTC, so that an opening inside the skipped hour of spring is a real moment.
    return datetime.combine(day, time.fromisoformat(span[0]), zone).astimezone(UTC)


def _is_clock_time(word: str) -> bool:
    if word == "24:00":
        return True
    try:
        time.fromisoformat(word)
    except ValueError:
        return False
    return len(word) == 5

"""Working hours in the officer's own time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rooftree.org.working_hours import InvalidHours, check_hours, is_open, next_opening

HOURS = {"mon": ["08:00", "18:00"], "wed": ["09:30", "24:00"], "sun": ["02:30", "12:00"]}
NEW_YORK = ZoneInfo("America/New_York")


def new_york_time(text):
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T08:00", "2026-11-23T08:00"),  # the first minute is inside
        ("2026-11-23T07:59", "2026-11-23T08:00"),
        ("2026-11-23T18:00", "2026-11-25T09:30"),  # the last is not; Tuesday is a day off
        ("2026-11-25T23:59", "2026-11-25T23:59"),
        ("2026-11-26T00:00", "2026-11-29T02:30"),
        ("2026-03-07T12:00", "2026-03-08T03:30"),  # 2:30 does not exist that Sunday
    ],
)
def test_next_opening_follows_the_officers_time_zone(at, opens):
    opening = next_opening(HOURS, zone="America/New_York", at=new_york_time(at).astimezone(UTC))

    assert opening == new_york_time(opens)
    assert is_open(HOURS, zone="America/New_York", at=new_york_time(at)) is (at == opens)


def test_officer_without_hours_has_no_opening():
    assert next_opening({}, zone="America/New_York", at=new_york_time("2026-11-23T08:00")) is None


@pytest.mark.parametrize(
    "hours", [{"day": ["08:00", "18:00"]}, {"mon": ["18:00", "08:00"]}, {"mon": ["8", "18:00"]}]
)
def test_invalid_hours_are_refused(hours):
    with pytest.raises(InvalidHours):
        check_hours(hours)

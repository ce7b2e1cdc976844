"""When a source has been silent for too long, by its own arrivals."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from rooftree.capture.source_setup.silence_thresholds import (
    Arrivals,
    threshold_from_arrivals,
    threshold_from_baseline,
)

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 9, 14, 0, 0, tzinfo=NEW_YORK)


def arrivals(moments):
    moments = sorted(moments)
    hours = Counter(moment.replace(minute=0, second=0, microsecond=0) for moment in moments)
    return Arrivals(by_hour=hours, recent_arrivals=moments)


def office_hours(every, *, weeks=6, until=None):
    """One inquiry every so often, Monday to Friday from 9 to 5 in New York."""
    until = until or MONDAY + timedelta(weeks=weeks)
    moment, found = MONDAY, []
    while moment < until:
        if moment.weekday() < 5 and 9 <= moment.hour < 17:
            found.append(moment)
        moment += every
    return found


def test_a_steady_feed_is_missed_within_a_few_of_its_own_pauses():
    last = MONDAY + timedelta(weeks=6, days=1, hours=11)  # a Tuesday
    found = threshold_from_arrivals(
        arrivals(office_hours(10 * MINUTE, until=last + MINUTE)), NEW_YORK
    )

    assert timedelta(minutes=20) < found.at - last < timedelta(minutes=40)
    assert found.expected_count == 3


def test_a_night_and_a_weekend_in_which_nothing_ever_comes_are_no_silence():
    friday = MONDAY + timedelta(weeks=6, days=4, hours=17)
    found = threshold_from_arrivals(arrivals(office_hours(10 * MINUTE, until=friday)), NEW_YORK)

    monday = friday + timedelta(days=2, hours=16)
    assert monday < found.at < monday + HOUR


def test_the_clock_set_back_in_november_moves_no_morning():
    last = datetime(2026, 10, 30, 16, 50, tzinfo=NEW_YORK)  # the Friday before
    found = threshold_from_arrivals(
        arrivals(office_hours(10 * MINUTE, until=last + MINUTE)), NEW_YORK
    )

    here = found.at.astimezone(NEW_YORK)
    assert (here.weekday(), here.hour) == (0, 9)


def test_a_feed_that_comes_in_batches_is_not_missed_between_them():
    batches = [MONDAY + n * HOUR + s * timedelta(seconds=1) for n in range(900) for s in range(10)]
    last = max(batches)
    found = threshold_from_arrivals(arrivals(batches), NEW_YORK)

    assert 2 * HOUR < found.at - last < 6 * HOUR


@pytest.mark.parametrize("a_day", [3, 40, 400])
def test_chance_alone_raises_about_one_alarm_a_quarter_and_a_dead_feed_is_noticed(a_day):
    """Inquiries that come at random, a quarter of a year of them."""
    chance, moment, came = Random(a_day), MONDAY, []
    while moment < MONDAY + 19 * timedelta(weeks=1):
        moment += timedelta(days=chance.expovariate(a_day))
        came.append(moment)
    six = [one for one in came if one < MONDAY + 6 * timedelta(weeks=1)]
    needed = threshold_from_arrivals(arrivals(six), NEW_YORK).at - six[-1]

    later = [one for one in came if one > six[-1]]
    false = sum(b - a > needed for a, b in zip(later, later[1:], strict=False))
    assert false <= 5
    assert needed < timedelta(days=1) * 14 / a_day


@pytest.mark.parametrize(
    "few", [[], office_hours(DAY, weeks=2)[:19], office_hours(10 * MINUTE, weeks=1)]
)
def test_too_little_says_nothing(few):
    assert threshold_from_arrivals(arrivals(few), NEW_YORK) is None


def test_a_source_without_a_past_is_held_to_what_was_agreed():
    found = threshold_from_baseline(MONDAY, 70)

    assert found.at - MONDAY < timedelta(days=1)
    assert threshold_from_baseline(MONDAY, None) is None

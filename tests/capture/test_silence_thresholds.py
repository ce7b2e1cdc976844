"""Silence thresholds of a source, learned from its own arrivals."""

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
    """Return regular arrivals, Monday to Friday from 9 to 5 in New York."""
    until = until or MONDAY + timedelta(weeks=weeks)
    moment, threshold = MONDAY, []
    while moment < until:
        if moment.weekday() < 5 and 9 <= moment.hour < 17:
            threshold.append(moment)
        moment += every
    return threshold


def test_steady_source_is_missed_within_a_few_usual_gaps():
    last = MONDAY + timedelta(weeks=6, days=1, hours=11)  # a Tuesday
    threshold = threshold_from_arrivals(
        arrivals(office_hours(10 * MINUTE, until=last + MINUTE)), NEW_YORK
    )

    assert timedelta(minutes=20) < threshold.at - last < timedelta(minutes=40)
    assert threshold.expected_count == 3


def test_usual_quiet_night_and_weekend_are_not_silence():
    friday = MONDAY + timedelta(weeks=6, days=4, hours=17)
    threshold = threshold_from_arrivals(arrivals(office_hours(10 * MINUTE, until=friday)), NEW_YORK)

    monday = friday + timedelta(days=2, hours=16)
    assert monday < threshold.at < monday + HOUR


def test_daylight_saving_change_does_not_shift_usual_hours():
    last = datetime(2026, 10, 30, 16, 50, tzinfo=NEW_YORK)  # the Friday before
    threshold = threshold_from_arrivals(
        arrivals(office_hours(10 * MINUTE, until=last + MINUTE)), NEW_YORK
    )

    here = threshold.at.astimezone(NEW_YORK)
    assert (here.weekday(), here.hour) == (0, 9)


def test_batch_source_is_not_missed_between_batches():
    batches = [MONDAY + n * HOUR + s * timedelta(seconds=1) for n in range(900) for s in range(10)]
    last = max(batches)
    threshold = threshold_from_arrivals(arrivals(batches), NEW_YORK)

    assert 2 * HOUR < threshold.at - last < 6 * HOUR


@pytest.mark.parametrize("a_day", [3, 40, 400])
def test_chance_raises_about_one_alert_a_quarter_and_dead_source_is_noticed(a_day):
    """A quarter year of random arrivals."""
    chance, moment, came = Random(a_day), MONDAY, []
    while moment < MONDAY + 19 * timedelta(weeks=1):
        moment += timedelta(days=chance.expovariate(a_day))
        came.append(moment)
    six = [arrived_at for arrived_at in came if arrived_at < MONDAY + 6 * timedelta(weeks=1)]
    needed = threshold_from_arrivals(arrivals(six), NEW_YORK).at - six[-1]

    later = [arrived_at for arrived_at in came if arrived_at > six[-1]]
    false = sum(b - a > needed for a, b in zip(later, later[1:], strict=False))
    assert false <= 5
    assert needed < timedelta(days=1) * 14 / a_day


@pytest.mark.parametrize(
    "few", [[], office_hours(DAY, weeks=2)[:19], office_hours(10 * MINUTE, weeks=1)]
)
def test_too_few_deliveries_give_no_threshold(few):
    assert threshold_from_arrivals(arrivals(few), NEW_YORK) is None


def test_source_without_history_uses_agreed_volume():
    threshold = threshold_from_baseline(MONDAY, 70)

    assert threshold.at - MONDAY < timedelta(days=1)
    assert threshold_from_baseline(MONDAY, None) is None

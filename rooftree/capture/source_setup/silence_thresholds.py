"""Thresholds after which a source's silence is an alarm, from its own arrivals. Pure.

A pause is measured in the inquiries expected in it, by the hour of the week: a night in which
nothing ever arrives counts as no pause. The usual pause is the 95th percentile of the source's
pauses. The longer a pause, the rarer it is by chance, so the alarm is set at the pause that
occurs by chance about once a quarter: `log(inquiries of a quarter) / log(20)` usual pauses.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log
from zoneinfo import ZoneInfo

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
LOOKBACK = 6 * WEEK  # before the newest arrival
MIN_ARRIVALS = 20  # fewer, or less than two weeks of them, give no usual pause
WEEKS_PER_QUARTER = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """One source's arrivals in the weeks up to its newest."""

    by_hour: Mapping[datetime, int]  # counts by the start of the hour, UTC
    recent_arrivals: Sequence[datetime]  # the latest of them, oldest first

    @property
    def count(self) -> int:
        """The number of arrivals."""
        return sum(self.by_hour.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceThreshold:
    """The time from which a source's silence is an alarm."""

    at: datetime
    expected_count: int  # inquiries expected by then; 0: unknown


def threshold_from_arrivals(arrivals: Arrivals, zone: ZoneInfo) -> SilenceThreshold | None:
    """Compute the threshold from a source's own pauses; None with too few arrivals."""
    first, last = min(arrivals.by_hour, default=None), arrivals.recent_arrivals[-1:]
    if first is None or not last or arrivals.count < MIN_ARRIVALS or last[0] - first < 2 * WEEK:
        return None
    rates = _WeeklyRates(arrivals, first, last[0], zone)
    pauses = sorted(rates.expected_count(a, b) for a, b in pairwise(arrivals.recent_arrivals))
    usual = max(pauses[int(len(pauses) * 0.95)], 1.0)
    needed = usual * log(max(WEEKS_PER_QUARTER * rates.total, 2)) / log(20)
    return SilenceThreshold(at=rates.reached_at(last[0], needed), expected_count=round(needed))


def threshold_from_baseline(last_at: datetime, per_week: int | None) -> SilenceThreshold | None:
    """Compute the threshold from the agreed weekly volume, spread evenly; None without it."""
    if not per_week:
        return None
    needed = log(max(WEEKS_PER_QUARTER * per_week, 20))
    return SilenceThreshold(at=last_at + WEEK * (needed / per_week), expected_count=round(needed))


class _WeeklyRates:
    """The average number of inquiries in each hour of the week."""

    def __init__(self, arrivals: Arrivals, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        counts: Counter[int] = Counter()
        hours: Counter[int] = Counter()
        hour = first
        while hour <= last:
            hour_of_week = self._hour_of_week(hour)
            hours[hour_of_week] += 1
            counts[hour_of_week] += arrivals.by_hour.get(hour, 0)
            hour += HOUR
        self._rates = {key: counts[key] / hours[key] for key in hours}
        self.total = sum(self._rates.values())  # per week

    def expected_count(self, since: datetime, until: datetime) -> float:
        """Return the expected number of inquiries between two times."""
        count, start = 0.0, since
        while start < until:
            end = min(_start_of_hour(start) + HOUR, until)
            count += self._rate_at(start) * ((end - start) / HOUR)
            start = end
        return count

    def reached_at(self, since: datetime, count: float) -> datetime:
        """Return the time by which so many inquiries are expected."""
        start, missing = since, count
        while True:
            end, rate = _start_of_hour(start) + HOUR, self._rate_at(start)
            expected = rate * ((end - start) / HOUR)
            if expected >= missing:
                return start + HOUR * (missing / rate)
            missing, start = missing - expected, end

    def _rate_at(self, moment: datetime) -> float:
        return self._rates.get(self._hour_of_week(moment), 0.0)

    def _hour_of_week(self, moment: datetime) -> int:
        local = moment.astimezone(self._zone)
        return local.weekday() * 24 + local.hour


def _start_of_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)

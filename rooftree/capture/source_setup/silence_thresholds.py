"""When a source has been silent for too long, by its own arrivals. Pure.

A pause is measured in the inquiries that usually come in it, by the hour of the week: a night
in which nothing ever comes is no pause at all. The usual pause is the one that 95 of 100 of
its own do not exceed. Pauses that come by chance are the rarer the longer they are, so the
alarm is set where one would come about once in a quarter: `log(inquiries of a quarter)` over
`log(20)` usual pauses.
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
MIN_ARRIVALS = 20  # arrivals, or two weeks: less says nothing of a usual pause
WEEKS_PER_QUARTER = 13  # weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came of one source in the weeks up to its newest arrival."""

    by_hour: Mapping[datetime, int]  # by the beginning of the hour, UTC
    recent_arrivals: Sequence[datetime]  # the last of them, oldest first

    @property
    def count(self) -> int:
        return sum(self.by_hour.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceThreshold:
    """From when on nothing at all is an alarm."""

    at: datetime
    expected_count: int  # inquiries that come in such a time; 0: nobody can say


def threshold_from_arrivals(arrivals: Arrivals, zone: ZoneInfo) -> SilenceThreshold | None:
    """By its own pauses; None where too little has come to know them."""
    first, last = min(arrivals.by_hour, default=None), arrivals.recent_arrivals[-1:]
    if first is None or not last or arrivals.count < MIN_ARRIVALS or last[0] - first < 2 * WEEK:
        return None
    week = _WeeklyRates(arrivals, first, last[0], zone)
    pauses = sorted(week.expected_count(a, b) for a, b in pairwise(arrivals.recent_arrivals))
    usual = max(pauses[int(len(pauses) * 0.95)], 1.0)
    needed = usual * log(max(WEEKS_PER_QUARTER * week.total, 2)) / log(20)
    return SilenceThreshold(at=week.reached_at(last[0], needed), expected_count=round(needed))


def threshold_from_baseline(last_at: datetime, per_week: int | None) -> SilenceThreshold | None:
    """By what was agreed, evenly over the week; for a source that has no past yet."""
    if not per_week:
        return None
    needed = log(max(WEEKS_PER_QUARTER * per_week, 20))
    return SilenceThreshold(at=last_at + WEEK * (needed / per_week), expected_count=round(needed))


class _WeeklyRates:
    """How many inquiries usually come in each hour of the week."""

    def __init__(self, arrivals: Arrivals, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        came: Counter[int] = Counter()
        seen: Counter[int] = Counter()
        hour = first
        while hour <= last:
            place = self._hour_of_week(hour)
            seen[place] += 1
            came[place] += arrivals.by_hour.get(hour, 0)
            hour += HOUR
        self._rates = {place: came[place] / seen[place] for place in seen}
        self.total = sum(self._rates.values())  # of a week

    def expected_count(self, since: datetime, until: datetime) -> float:
        """How many usually come between two moments."""
        found, moment = 0.0, since
        while moment < until:
            end = min(_start_of_hour(moment) + HOUR, until)
            found += self._rate_at(moment) * ((end - moment) / HOUR)
            moment = end
        return found

    def reached_at(self, since: datetime, needed: float) -> datetime:
        """By when so many usually have come."""
        moment = since
        while True:
            end, rate = _start_of_hour(moment) + HOUR, self._rate_at(moment)
            in_it = rate * ((end - moment) / HOUR)
            if in_it >= needed:
                return moment + HOUR * (needed / rate)
            needed, moment = needed - in_it, end

    def _rate_at(self, moment: datetime) -> float:
        return self._rates.get(self._hour_of_week(moment), 0.0)

    def _hour_of_week(self, moment: datetime) -> int:
        here = moment.astimezone(self._zone)
        return here.weekday() * 24 + here.hour


def _start_of_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)

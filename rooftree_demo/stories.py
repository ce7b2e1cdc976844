"""Thirty thousand leads as a plan: when each arrives, from where, and how it will end.

Pure: the same moment and number of leads give the same stories. Only what people
outside and loan officers do is planned here; what the product makes of it, it
decides itself.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from rooftree_demo.invented_borrowers import PLACES
from rooftree_demo.lead_origins import HISTORY_MONTHS, LeadOrigin, origins_in_month

STORY_COUNT = 30_000
STORY_SEED = 20417
DAY = timedelta(days=1)
WEEKEND_SHARE = 0.55  # of a weekday's leads
# Of a month's leads: people shop for homes in spring, and for Christmas at Christmas.
SEASONAL_WEIGHTS = (0.78, 0.84, 1.02, 1.12, 1.18, 1.17, 1.08, 1.06, 1.0, 0.98, 0.84, 0.7)
GROWTH_RANGE = (0.82, 1.18)  # from the first day to the last, beside the season
HOUR_WEIGHTS = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    7,
    10,
    14,
    15,
    15,
    14,
    13,
    13,
    13,
    13,
    14,
    15,
    16,
    16,
    12,
    7,
    4,
)


class Fate(StrEnum):
    """What becomes of a lead in the end, if there is time enough."""

    FUNDED = "funded"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    INCOMPLETE = "incomplete"
    WATCHES = "watches"  # waits for a rate
    TALKED = "talked"  # was reached, and nothing yet
    NOT_INTERESTED = "not_interested"
    WRONG_NUMBER = "wrong_number"
    STOPPED = "stopped"  # texts STOP, where texts are sent
    UNREACHED = "unreached"


APPLYING_FATES = frozenset({Fate.FUNDED, Fate.DENIED, Fate.WITHDRAWN, Fate.INCOMPLETE})
FATES = tuple(Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One lead: borrower `number`, arriving through `slug`."""

    number: int
    slug: str
    at: datetime
    fate: Fate
    seed: str

    def rng(self) -> random.Random:
        """The dice of this story, thrown the same way each time."""
        return random.Random(self.seed)


@lru_cache(maxsize=4)
def plan_stories(*, now: datetime, count: int = STORY_COUNT) -> tuple[Story, ...]:
    """Every story, oldest first."""
    rng = random.Random(STORY_SEED)
    first = history_start(now.date())
    days = [first + DAY * n for n in range((now.date() - first).days + 1)]
    weights = list(accumulate(_day_weight(day, first, now.date()) for day in days))
    told = []
    for number in range(count):
        day = rng.choices(days, cum_weights=weights)[0]
        at = _choose_moment(rng, day, number, now)
        told.append(_plan_story(rng, number, at, month_number(at.date(), first)))
    return tuple(sorted(told, key=lambda one: (one.at, one.number)))


def history_start(today: date) -> date:
    """The first day of history: that of the month eighteen months ago."""
    month = today.year * 12 + today.month - 1 - HISTORY_MONTHS
    return date(month // 12, month % 12 + 1, 1)


def month_number(day: date, first: date) -> int:
    """The number of a day's month, counted from the month of `first`."""
    return (day.year - first.year) * 12 + day.month - first.month


def _day_weight(day: date, first: date, last: date) -> float:
    grown = GROWTH_RANGE[0] + (GROWTH_RANGE[1] - GROWTH_RANGE[0]) * (day - first) / (last - first)
    return grown * SEASONAL_WEIGHTS[day.month - 1] * (WEEKEND_SHARE if day.weekday() >= 5 else 1.0)


def _choose_moment(rng: random.Random, day: date, number: int, now: datetime) -> datetime:
    """A moment of the day where the borrower lives; what is still to come was last week."""
    zone = ZoneInfo(PLACES[number % len(PLACES)].zone)
    hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
    clock = time(hour, rng.randrange(60), rng.randrange(60), tzinfo=zone)
    at = datetime.combine(day, clock).astimezone(UTC)
    return at if at < now else at - 7 * DAY


def _plan_story(rng: random.Random, number: int, at: datetime, month: int) -> Story:
    open_ones = origins_in_month(month)
    origin = rng.choices(open_ones, [open_one.share for open_one in open_ones])[0]
    return Story(
        number=number,
        slug=origin.slug,
        at=at,
        fate=_choose_fate(rng, origin),
        seed=f"{STORY_SEED}:{number}",
    )


def _choose_fate(rng: random.Random, origin: LeadOrigin) -> Fate:
    return rng.choices(FATES, (*origin.fates, 100 - sum(origin.fates)))[0]

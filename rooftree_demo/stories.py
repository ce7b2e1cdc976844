"""The plan of up to thirty thousand leads: arrival, source and outcome of each.

Pure: the same time and number of leads give the same stories. Only the actions of
borrowers, vendors and loan officers are planned here; the product decides the rest.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from rooftree_demo.invented_borrowers import PLACES
from rooftree_demo.lead_origins import HISTORY_MONTHS, origins_in_month

STORY_COUNT = 30_000  # of the largest history
STORY_SEED = 20417
DAY = timedelta(days=1)
WEEKEND_SHARE = 0.55  # leads of a weekend day, relative to a weekday
# Relative leads by month: home shopping peaks in spring and is lowest in December.
SEASONAL_WEIGHTS = (0.78, 0.84, 1.02, 1.12, 1.18, 1.17, 1.08, 1.06, 1.0, 0.98, 0.84, 0.7)
GROWTH_RANGE = (0.82, 1.18)  # growth from the first day to the last, apart from the season
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
    """The outcome of a lead, if it has enough time."""

    FUNDED = "funded"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    INCOMPLETE = "incomplete"
    WATCHES = "watches"  # watches for a target rate
    TALKED = "talked"  # was reached, with no outcome yet
    NOT_INTERESTED = "not_interested"
    WRONG_NUMBER = "wrong_number"
    STOPPED = "stopped"  # replies STOP if texted
    UNREACHED = "unreached"


APPLYING_FATES = frozenset({Fate.FUNDED, Fate.DENIED, Fate.WITHDRAWN, Fate.INCOMPLETE})
FATES = tuple(Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One lead: borrower `number`, who inquires through the source `slug`."""

    number: int
    slug: str
    at: datetime
    fate: Fate
    seed: str

    def rng(self) -> random.Random:
        """Return a new generator that gives the same numbers each time."""
        return random.Random(self.seed)


@lru_cache(maxsize=4)
def plan_stories(*, now: datetime, count: int = STORY_COUNT) -> tuple[Story, ...]:
    """Plan all stories, oldest first."""
    rng = random.Random(STORY_SEED)
    first = history_start(now.date())
    days = [first + DAY * n for n in range((now.date() - first).days + 1)]
    low, high = GROWTH_RANGE

    def weigh_day(day: date) -> float:
        growth = low + (high - low) * (day - first) / (now.date() - first)
        weekday_factor = WEEKEND_SHARE if day.weekday() >= 5 else 1.0
        return growth * SEASONAL_WEIGHTS[day.month - 1] * weekday_factor

    weights = list(accumulate(weigh_day(day) for day in days))
    stories = []
    for number in range(count):
        day = rng.choices(days, cum_weights=weights)[0]
        at = _choose_moment(rng, day, number, now)
        stories.append(_plan_story(rng, number, at, month_number(at.date(), first)))
    return tuple(sorted(stories, key=lambda story: (story.at, story.number)))


def history_start(today: date) -> date:
    """Return the first day of the history: the first of the month eighteen months ago."""
    month = today.year * 12 + today.month - 1 - HISTORY_MONTHS
    return date(month // 12, month % 12 + 1, 1)


def month_number(day: date, first: date) -> int:
    """Return the number of a day's month, counted from the month of `first`."""
    return (day.year - first.year) * 12 + day.month - first.month


def _choose_moment(rng: random.Random, day: date, number: int, now: datetime) -> datetime:
    """Choose a time of the day in the borrower's zone; a future time moves back one week."""
    zone = ZoneInfo(PLACES[number % len(PLACES)].zone)
    hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
    clock = time(hour, rng.randrange(60), rng.randrange(60), tzinfo=zone)
    at = datetime.combine(day, clock).astimezone(UTC)
    return at if at < now else at - 7 * DAY


def _plan_story(rng: random.Random, number: int, at: datetime, month: int) -> Story:
    origins = origins_in_month(month)
    origin = rng.choices(origins, [candidate.share for candidate in origins])[0]
    return Story(
        number=number,
        slug=origin.slug,
        at=at,
        fate=rng.choices(FATES, (*origin.fates, 100 - sum(origin.fates)))[0],
        seed=f"{STORY_SEED}:{number}",
    )

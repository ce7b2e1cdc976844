"""Five hundred leads as a plan: when each arrives, from where, and how it will end.

Pure: the same seed and the same moment give the same stories. Only what people
outside and loan officers do is planned here; what the product makes of it, it
decides itself.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from rooftree.reporting.period import last_complete
from rooftree_demo.borrowers import PLACES

COUNT = 500
SEED = 20417
MONTHS_BACK = 9
DAY = timedelta(days=1)
# Of a hundred leads; the rest is never reached.
_MARKETPLACE_SHARES = (5, 3, 3, 1, 9, 14, 12, 4, 3)
_SITE_SHARES = (7, 4, 3, 1, 14, 18, 10, 2, 4)


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


APPLIES = frozenset({Fate.FUNDED, Fate.DENIED, Fate.WITHDRAWN, Fate.INCOMPLETE})
_DEALT = tuple(Fate)[:-1]


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


def all_of(*, now: datetime, count: int = COUNT) -> list[Story]:
    """Every story, oldest first: about as many each day, the last complete quarter among them."""
    rng = random.Random(SEED)
    quarter = last_complete("quarter", now.date())
    spans = _spans(now, quarter.from_date, quarter.until_date)
    stories: list[Story] = []
    for share, start, end in spans:
        owed = min(round(count * share), count - len(stories))
        moments = _moments(rng, start, end, owed, first=len(stories))
        stories += _dealt(rng, moments, first=len(stories))
    return sorted((one for one in stories if one.at < now), key=lambda one: one.at)


def _spans(now: datetime, start: date, end: date) -> list[tuple[float, datetime, datetime]]:
    """Before, in and after the last complete quarter, each with its share of the leads."""
    quarter, since = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (start, end))
    oldest = min(now - timedelta(days=30.5 * MONTHS_BACK), quarter - timedelta(days=60))
    spans = [(oldest, quarter), (quarter, since), (since, now)]
    return [((last - first) / (now - oldest), first, last) for first, last in spans]


def _moments(
    rng: random.Random, start: datetime, end: datetime, count: int, *, first: int
) -> list[tuple[int, datetime]]:
    """Borrowers with their moments: mostly by day where they live, fewer at the weekend."""
    return [(number, _moment(rng, start, end, number)) for number in range(first, first + count)]


def _moment(rng: random.Random, start: datetime, end: datetime, number: int) -> datetime:
    zone = ZoneInfo(PLACES[number % len(PLACES)].zone)
    for _ in range(50):
        drawn = start + (end - start) * rng.random()
        local = drawn.astimezone(zone)
        by_hour = 1.0 if 9 <= local.hour < 21 else 0.12
        by_day = 0.55 if local.weekday() >= 5 else 1.0
        if rng.random() < by_hour * by_day:
            break
    return drawn.replace(microsecond=0)


def _dealt(
    rng: random.Random, moments: list[tuple[int, datetime]], *, first: int
) -> Iterator[Story]:
    slugs = rng.choices(["zillow", "lendingtree", "our-site"], [42, 36, 22], k=len(moments))
    by_slug: dict[str, list[Fate]] = {}
    for slug in sorted(set(slugs)):  # a set has another order in every process
        shares = _SITE_SHARES if slug == "our-site" else _MARKETPLACE_SHARES
        by_slug[slug] = _deck(rng, shares, slugs.count(slug))
    for (number, at), slug in zip(moments, slugs, strict=True):
        yield Story(
            number=number, slug=slug, at=at, fate=by_slug[slug].pop(), seed=f"{SEED}:{number}"
        )


def _deck(rng: random.Random, shares: tuple[int, ...], size: int) -> list[Fate]:
    """`size` fates in these shares, not one more or less than chance by rounding, shuffled."""
    deck: list[Fate] = []
    owed = 0.0
    for fate, share in zip(_DEALT, shares, strict=True):
        owed += share * size / 100
        due = round(owed) - len(deck)
        deck += [fate] * due
    deck += [Fate.UNREACHED] * (size - len(deck))
    rng.shuffle(deck)
    return deck

"""What staff say a source's leads are worth before they are named: prices, caps, the window."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count

from rooftree.capture.acceptance import stored
from rooftree.capture.bidding import LONGEST_SECONDS, Price, Rules, rules_of
from rooftree.capture.models import PlacedBid
from rooftree.capture.normalise import squashed
from rooftree.capture.source_setup import BadSource, keep_part
from rooftree.capture.standing import TAKEN
from rooftree.capture.words import PURPOSES
from rooftree.core.money import AmountKind, amount
from rooftree.core.states import STATES
from rooftree.leads.models import Delivery, Source
from rooftree.org.models import User

DEAREST = 100_000  # cents of one lead; more is a slip of the keyboard
_WORDS = re.compile(r"[,;\t ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """What came of a source's pings in the 24 hours before a moment."""

    pings: int
    bids: int
    bought: int
    why_not: tuple[tuple[str, int], ...]  # most frequent first


def set_rules(*, source_id: UUID, rules: Rules, by: User, at: datetime) -> Source:
    """Bid by these rules from now on; what was bid already holds. Raises `BadSource`."""
    _check(rules)
    return keep_part("bids", _stored(rules), source_id=source_id, by=by, at=at)


def prices_of(lines: Iterable[str]) -> tuple[Price, ...]:
    """They are prices as typed, one a line: `FL purchase 52`, `refinance 40`, `30`.

    Raises `BadSource`.
    """
    return tuple(_price(line) for line in lines if line.strip())


def written(prices: Iterable[Price]) -> list[str]:
    """They are the lines that give these prices."""
    return [
        " ".join(filter(None, (one.state, one.purpose, f"{one.cents / 100:.2f}"))) for one in prices
    ]


def rules_for(source: Source) -> Rules:
    """They are the rules it is bid by."""
    return rules_of(source.setup.get("bids"))


def last_day(source: Source, *, at: datetime) -> LastDay:
    """What its pings came to."""
    since = at - timedelta(days=1)
    asked = PlacedBid.objects.filter(source=source, asked_at__gt=since)
    counts = Counter(dict(asked.values_list("why").annotate(Count("id"))))
    bids = counts.pop("", 0)
    came = Delivery.objects.filter(source=source, received_at__gt=since, outcome__in=TAKEN)
    return LastDay(
        pings=bids + counts.total(),
        bids=bids,
        bought=came.count(),
        why_not=tuple(counts.most_common()),
    )


def latest(source: Source, number: int = 12) -> list[PlacedBid]:
    """The newest pings."""
    return list(PlacedBid.objects.filter(source=source).order_by("-asked_at", "-id")[:number])


def _price(line: str) -> Price:
    *kinds, written = _WORDS.split(line.strip())
    read = amount(written)
    if read is None or read.kind is not AmountKind.EXACT or not read.cents:
        raise BadSource("prices", f"{line}: end the line with the price in dollars, as 46.00.")
    state = purpose = ""
    for word in kinds:
        if word.upper() in STATES:
            state = word.upper()
        elif squashed(word) in PURPOSES:
            purpose = PURPOSES[squashed(word)].value
        else:
            raise BadSource("prices", f"{line}: {word} is no state's letters and no purpose.")
    return Price(cents=read.cents, purpose=purpose, state=state)


def _check(rules: Rules) -> None:
    kinds = Counter((one.state, one.purpose) for one in rules.prices)
    twice = next((kind for kind, times in kinds.items() if times > 1), None)
    if twice is not None:
        said = " ".join(filter(None, twice)) or "Every lead"
        raise BadSource("prices", f"{said} has two prices; leave one.")
    if any(one.cents > DEAREST for one in rules.prices):
        raise BadSource("prices", f"No lead is worth more than ${DEAREST // 100:,}.")
    if not 1 <= rules.seconds <= LONGEST_SECONDS:
        raise BadSource("seconds", f"A bid holds from 1 to {LONGEST_SECONDS:,} seconds.")


def _stored(rules: Rules) -> Mapping[str, Any]:
    return {
        **stored(rules.limits),
        "prices": [
            {"cents": one.cents, "purpose": one.purpose, "state": one.state} for one in rules.prices
        ],
        "seconds": rules.seconds,
    }

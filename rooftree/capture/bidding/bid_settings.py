"""What staff say a source's leads are worth before they are named: prices, caps, the window."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count

from rooftree.capture.bidding.bid_rules import MAX_BID_SECONDS, BidRules, Price, parse_bid_rules
from rooftree.capture.intake.source_quota import TAKEN_OUTCOMES
from rooftree.capture.models import PlacedBid
from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.vendor_words import PURPOSES
from rooftree.capture.source_setup.acceptance_limits import limits_to_json
from rooftree.capture.source_setup.manage_sources import BadSource, save_setup_part
from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.core.us_states import STATES
from rooftree.leads.models import Delivery, Source
from rooftree.org.models import User

MAX_PRICE_CENTS = 100_000  # cents of one lead; more is a slip of the keyboard
_SEPARATORS = re.compile(r"[,;\t ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDayPings:
    """What came of a source's pings in the 24 hours before a moment."""

    pings: int
    bids: int
    bought: int
    no_bid_counts: tuple[tuple[str, int], ...]  # most frequent first


def save_bid_rules(*, source_id: UUID, rules: BidRules, by: User, at: datetime) -> Source:
    """Bid by these rules from now on; what was bid already holds. Raises `BadSource`."""
    _check_rules(rules)
    return save_setup_part("bids", _rules_to_json(rules), source_id=source_id, by=by, at=at)


def parse_prices(lines: Iterable[str]) -> tuple[Price, ...]:
    """They are prices as typed, one a line: `FL purchase 52`, `refinance 40`, `30`.

    Raises `BadSource`.
    """
    return tuple(_parse_price_line(line) for line in lines if line.strip())


def format_prices(prices: Iterable[Price]) -> list[str]:
    """They are the lines that give these prices."""
    return [
        " ".join(filter(None, (price.state, price.purpose, f"{price.cents / 100:.2f}")))
        for price in prices
    ]


def source_bid_rules(source: Source) -> BidRules:
    """They are the rules it is bid by."""
    return parse_bid_rules(source.setup.get("bids"))


def summarize_last_day(source: Source, *, at: datetime) -> LastDayPings:
    """What its pings came to."""
    since = at - timedelta(days=1)
    asked = PlacedBid.objects.filter(source=source, asked_at__gt=since)
    counts = Counter(dict(asked.values_list("why").annotate(Count("id"))))
    bids = counts.pop("", 0)
    came = Delivery.objects.filter(source=source, received_at__gt=since, outcome__in=TAKEN_OUTCOMES)
    return LastDayPings(
        pings=bids + counts.total(),
        bids=bids,
        bought=came.count(),
        no_bid_counts=tuple(counts.most_common()),
    )


def latest_pings(source: Source, number: int = 12) -> list[PlacedBid]:
    """The newest pings."""
    return list(PlacedBid.objects.filter(source=source).order_by("-asked_at", "-id")[:number])


def _parse_price_line(line: str) -> Price:
    *kinds, written = _SEPARATORS.split(line.strip())
    read = parse_amount(written)
    if read is None or read.kind is not AmountKind.EXACT or not read.cents:
        raise BadSource("prices", f"{line}: end the line with the price in dollars, as 46.00.")
    state = purpose = ""
    for word in kinds:
        if word.upper() in STATES:
            state = word.upper()
        elif squash_word(word) in PURPOSES:
            purpose = PURPOSES[squash_word(word)].value
        else:
            raise BadSource("prices", f"{line}: {word} is no state's letters and no purpose.")
    return Price(cents=read.cents, purpose=purpose, state=state)


def _check_rules(rules: BidRules) -> None:
    kinds = Counter((price.state, price.purpose) for price in rules.prices)
    twice = next((kind for kind, times in kinds.items() if times > 1), None)
    if twice is not None:
        said = " ".join(filter(None, twice)) or "Every lead"
        raise BadSource("prices", f"{said} has two prices; leave one.")
    if any(price.cents > MAX_PRICE_CENTS for price in rules.prices):
        raise BadSource("prices", f"No lead is worth more than ${MAX_PRICE_CENTS // 100:,}.")
    if not 1 <= rules.seconds <= MAX_BID_SECONDS:
        raise BadSource("seconds", f"A bid holds from 1 to {MAX_BID_SECONDS:,} seconds.")


def _rules_to_json(rules: BidRules) -> Mapping[str, Any]:
    return {
        **limits_to_json(rules.limits),
        "prices": [
            {"cents": price.cents, "purpose": price.purpose, "state": price.state}
            for price in rules.prices
        ],
        "seconds": rules.seconds,
    }

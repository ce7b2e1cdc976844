"""Staff settings of a ping-post source: prices, caps and the duplicate window."""

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

MAX_PRICE_CENTS = 100_000  # cents of one lead; a higher price is a typing error
_SEPARATORS = re.compile(r"[,;\t ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDayPings:
    """The results of a source's pings in the last 24 hours."""

    pings: int
    bids: int
    bought: int
    no_bid_counts: tuple[tuple[str, int], ...]  # most frequent first


def save_bid_rules(*, source_id: UUID, rules: BidRules, by: User, at: datetime) -> Source:
    """Save a source's bid rules; bids already placed stay valid. Raises `BadSource`."""
    _check_rules(rules)
    return save_setup_part("bids", _rules_to_json(rules), source_id=source_id, by=by, at=at)


def parse_prices(lines: Iterable[str]) -> tuple[Price, ...]:
    """Parse typed prices, one per line: `FL purchase 52`, `refinance 40`, `30`.

    Raises `BadSource`.
    """
    return tuple(_parse_price_line(line) for line in lines if line.strip())


def format_prices(prices: Iterable[Price]) -> list[str]:
    """Return the lines from which `parse_prices` reads these prices."""
    return [
        " ".join(filter(None, (price.state, price.purpose, f"{price.cents / 100:.2f}")))
        for price in prices
    ]


def source_bid_rules(source: Source) -> BidRules:
    """Return a source's bid rules."""
    return parse_bid_rules(source.setup.get("bids"))


def summarize_last_day(source: Source, *, at: datetime) -> LastDayPings:
    """Summarize a source's pings of the last 24 hours."""
    since = at - timedelta(days=1)
    pings = PlacedBid.objects.filter(source=source, requested_at__gt=since)
    counts = Counter(dict(pings.values_list("reason").annotate(Count("id"))))
    bids = counts.pop("", 0)
    bought = Delivery.objects.filter(
        source=source, received_at__gt=since, outcome__in=TAKEN_OUTCOMES
    )
    return LastDayPings(
        pings=bids + counts.total(),
        bids=bids,
        bought=bought.count(),
        no_bid_counts=tuple(counts.most_common()),
    )


def latest_pings(source: Source, number: int = 12) -> list[PlacedBid]:
    """Return a source's newest pings, newest first."""
    return list(PlacedBid.objects.filter(source=source).order_by("-requested_at", "-id")[:number])


def _parse_price_line(line: str) -> Price:
    *words, price_text = _SEPARATORS.split(line.strip())
    amount = parse_amount(price_text)
    if amount is None or amount.kind is not AmountKind.EXACT or not amount.cents:
        raise BadSource("prices", f"{line}: end the line with a price in dollars, like 46.00.")
    state = purpose = ""
    for word in words:
        if word.upper() in STATES:
            state = word.upper()
        elif squash_word(word) in PURPOSES:
            purpose = PURPOSES[squash_word(word)].value
        else:
            raise BadSource(
                "prices", f"{line}: {word} is not a state abbreviation or a loan purpose."
            )
    return Price(cents=amount.cents, purpose=purpose, state=state)


def _check_rules(rules: BidRules) -> None:
    counts = Counter((price.state, price.purpose) for price in rules.prices)
    repeated = next((kind for kind, count in counts.items() if count > 1), None)
    if repeated is not None:
        label = " ".join(filter(None, repeated)) or "Every lead"
        raise BadSource("prices", f"{label} has two prices. Keep one.")
    if any(price.cents > MAX_PRICE_CENTS for price in rules.prices):
        raise BadSource(
            "prices", f"A price can't be more than ${MAX_PRICE_CENTS // 100:,} per lead."
        )
    if not 1 <= rules.seconds <= MAX_BID_SECONDS:
        raise BadSource("seconds", f"Enter 1 to {MAX_BID_SECONDS:,} seconds.")


def _rules_to_json(rules: BidRules) -> Mapping[str, Any]:
    return {
        **limits_to_json(rules.limits),
        "prices": [
            {"cents": price.cents, "purpose": price.purpose, "state": price.state}
            for price in rules.prices
        ],
        "seconds": rules.seconds,
    }

"""Bid rules of ping-post sources, and the bid they give for a ping. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from rooftree.capture.source_setup.acceptance_limits import (
    AcceptanceLimits,
    LimitFacts,
    OfferedLead,
    find_refusal,
    parse_limits,
    parse_whole_number,
)
from rooftree.leads.vocabulary import Purpose

BID_SECONDS = 60  # default validity of a bid; buyers' bids were seen to be valid 30 to 120 seconds
MAX_BID_SECONDS = 3600
MAX_PRICES = 500
BID_LIMITS = AcceptanceLimits(licensed_only=True)  # we never bid where we are not licensed
PURPOSE_FAMILIES = {  # a refinance price applies to every kind of refinance
    Purpose.REFINANCE_CASH_OUT: Purpose.REFINANCE,
    Purpose.REFINANCE_RATE_TERM: Purpose.REFINANCE,
    Purpose.HOME_EQUITY_LOAN: Purpose.HOME_EQUITY,
    Purpose.HELOC: Purpose.HOME_EQUITY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of one kind of lead; "" means any purpose or any state."""

    cents: int
    purpose: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidRules:
    """One source's rules for answering pings; without a price there is no bid."""

    prices: tuple[Price, ...] = ()
    limits: AcceptanceLimits = BID_LIMITS
    seconds: int = BID_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One ping: the offered lead, without the person."""

    ping_fields: Mapping[str, str] = field(default_factory=dict)  # the fields the post must repeat
    state: str = ""  # USPS
    purpose: str = ""
    phone_hash: str = ""  # SHA-256, hex
    email_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """The bid on one ping."""

    cents: int  # 0: no bid
    no_bid_reason: str = ""  # a key of acceptance_limits.REFUSAL_REASONS when there is no bid


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBid:
    """A bid as it was answered; it is binding until `expires_at`."""

    ping_id: str  # the seller's
    ping: Ping
    bid: Bid
    seconds: int
    expires_at: datetime
    is_taken: bool = False  # its post was accepted

    def is_open(self, at: datetime) -> bool:
        """Decide whether the bid is still valid."""
        return at <= self.expires_at


def post_key(ping_id: str) -> str:
    """Return the idempotency key of a ping's post."""
    return f"pingpost:post:{ping_id}"


class BidMarket(Protocol):
    """The stored bids and limit facts of one source, loaded on demand."""

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        """Return the bid that was placed on a ping; None if there is none."""
        ...

    def load_limit_facts(self, ping: Ping, rules: BidRules, /) -> LimitFacts:
        """Load the facts that the bid on this ping depends on."""
        ...


def parse_bid_rules(stored: Any) -> BidRules:
    """Read bid rules from a source's setup; never raises, and ignores unreadable values."""
    setup = stored if isinstance(stored, Mapping) else {}
    prices = setup.get("prices")
    rows = prices if isinstance(prices, list) else []
    parsed = (_parse_price(row) for row in rows[:MAX_PRICES] if isinstance(row, Mapping))
    return BidRules(
        prices=tuple(price for price in parsed if price.cents > 0),
        limits=replace(parse_limits(setup), licensed_only=True),
        seconds=min(parse_whole_number(setup.get("seconds")) or BID_SECONDS, MAX_BID_SECONDS),
    )


def decide_bid(ping: Ping, rules: BidRules, facts: LimitFacts) -> Bid:
    """Decide our bid on a ping, or the reason for not bidding."""
    cents = _matching_price_cents(ping, rules.prices)
    offered = OfferedLead(state=ping.state, cents=cents)
    refusal = find_refusal(offered, rules.limits, facts)
    reasons = (
        ("in_audit", facts.is_in_audit),
        ("not_set_up", not rules.prices),
        ("state_missing", not ping.state),
        (refusal.reason_code if refusal else "", refusal),
        ("no_price", not cents),
    )
    reason = next((reason for reason, applies in reasons if applies), "")
    return Bid(cents=0 if reason else cents, no_bid_reason=reason)


def contact_hashes(phone: str | None, email: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hashes a ping can carry for a phone (E.164), and those for an email address.

    Sellers hash a phone number with its +1, with the 1, or as ten digits.
    """
    digits = (phone or "").removeprefix("+")
    numbers = [phone, digits, digits.removeprefix("1")] if phone else []
    return _sha256_hashes(numbers), _sha256_hashes([email.strip().lower()] if email else [])


def _matching_price_cents(ping: Ping, prices: Iterable[Price]) -> int:
    """Return the most specific price: for state and purpose, else state, else purpose, else any."""
    purpose = PURPOSE_FAMILIES.get(Purpose(ping.purpose), ping.purpose) if ping.purpose else ""
    matching = [
        price
        for price in prices
        if price.state in ("", ping.state) and price.purpose in ("", purpose, ping.purpose)
    ]
    best = max(matching, key=lambda price: (bool(price.state), bool(price.purpose)), default=None)
    return best.cents if best else 0


def _parse_price(row: Mapping[str, Any]) -> Price:
    return Price(
        cents=parse_whole_number(row.get("cents")) or 0,
        purpose=str(row.get("purpose") or ""),
        state=str(row.get("state") or ""),
    )


def _sha256_hashes(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(hashlib.sha256(value.encode()).hexdigest() for value in values if value)

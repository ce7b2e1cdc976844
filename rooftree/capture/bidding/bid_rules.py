"""What we pay for a lead nobody has named yet: the rules, and the bid they give. Pure."""

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

BID_SECONDS = 60  # that a bid holds: buyers' bids were seen to hold 30 to 120
MAX_BID_SECONDS = 3600
MAX_PRICES = 500
BID_LIMITS = AcceptanceLimits(licensed_only=True)  # a person we may not serve is never bid for
PURPOSE_FAMILIES = {  # a price for a refinance is one for each kind of it
    Purpose.REFINANCE_CASH_OUT: Purpose.REFINANCE,
    Purpose.REFINANCE_RATE_TERM: Purpose.REFINANCE,
    Purpose.HOME_EQUITY_LOAN: Purpose.HOME_EQUITY,
    Purpose.HELOC: Purpose.HOME_EQUITY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one kind of lead is worth; "" is any purpose, any state."""

    cents: int
    purpose: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidRules:
    """How a source's pings are answered. Without a price there is no bid."""

    prices: tuple[Price, ...] = ()
    limits: AcceptanceLimits = BID_LIMITS
    seconds: int = BID_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A ping: what is offered, without the person."""

    ping_fields: Mapping[str, str] = field(default_factory=dict)  # the fields the post must repeat
    state: str = ""  # USPS
    purpose: str = ""
    phone_hash: str = ""  # SHA-256, hex
    email_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """0 cents is no bid; `why` is then a key of acceptance.WHY_NOT."""

    cents: int
    no_bid_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredBid:
    """A bid as it was answered, to be held to."""

    ping_id: str  # the seller's
    ping: Ping
    bid: Bid
    seconds: int
    expires_at: datetime
    is_taken: bool = False  # its post was bought

    def is_open(self, at: datetime) -> bool:
        return at <= self.expires_at


def post_key(ping_id: str) -> str:
    """What the post of a ping is known by, however often it is sent."""
    return f"pingpost:post:{ping_id}"


class BidMarket(Protocol):
    """What is known of a source's pings, looked up when it is needed."""

    def find_bid(self, ping_id: str, /) -> AnsweredBid | None:
        """The bid that was placed on a ping."""
        ...

    def load_limit_facts(self, ask: Ping, rules: BidRules, /) -> LimitFacts:
        """What the bid on this ping depends on."""
        ...


def parse_bid_rules(stored: Any) -> BidRules:
    """They are the rules as a source's set-up holds them. Never raises."""
    kept = stored if isinstance(stored, Mapping) else {}
    listed = kept.get("prices")
    rows = listed if isinstance(listed, list) else []
    prices = (_parse_price(row) for row in rows[:MAX_PRICES] if isinstance(row, Mapping))
    return BidRules(
        prices=tuple(price for price in prices if price.cents > 0),
        limits=replace(parse_limits(kept), licensed_only=True),
        seconds=min(parse_whole_number(kept.get("seconds")) or BID_SECONDS, MAX_BID_SECONDS),
    )


def decide_bid(ask: Ping, rules: BidRules, standing: LimitFacts) -> Bid:
    """It is what we offer for a ping, or why we offer nothing."""
    cents = _matching_price_cents(ask, rules.prices)
    offered = OfferedLead(state=ask.state, cents=cents)
    against = find_refusal(offered, rules.limits, standing)
    refusals = (
        ("in_audit", standing.is_in_audit),
        ("not_set_up", not rules.prices),
        ("state_missing", not ask.state),
        (against.reason_code if against else "", against),
        ("no_price", not cents),
    )
    why = next((why for why, is_so in refusals if is_so), "")
    return Bid(cents=0 if why else cents, no_bid_reason=why)


def contact_hashes(phone: str | None, email: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """They are the hashes a ping may carry for a number (E.164) and an address.

    Sellers hash a number with its +1, with the 1, or as ten digits.
    """
    digits = (phone or "").removeprefix("+")
    numbers = [phone, digits, digits.removeprefix("1")] if phone else []
    return _sha256_hashes(numbers), _sha256_hashes([email.strip().lower()] if email else [])


def _matching_price_cents(ask: Ping, prices: Iterable[Price]) -> int:
    """The price for just this state and purpose, else for the state, the purpose, all."""
    purpose = PURPOSE_FAMILIES.get(Purpose(ask.purpose), ask.purpose) if ask.purpose else ""
    fitting = [
        price
        for price in prices
        if price.state in ("", ask.state) and price.purpose in ("", purpose, ask.purpose)
    ]
    best = max(fitting, key=lambda one: (bool(one.state), bool(one.purpose)), default=None)
    return best.cents if best else 0


def _parse_price(row: Mapping[str, Any]) -> Price:
    return Price(
        cents=parse_whole_number(row.get("cents")) or 0,
        purpose=str(row.get("purpose") or ""),
        state=str(row.get("state") or ""),
    )


def _sha256_hashes(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(hashlib.sha256(value.encode()).hexdigest() for value in values if value)

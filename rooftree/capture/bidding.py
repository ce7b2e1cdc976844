"""What we pay for a lead nobody has named yet: the rules, and the bid they give. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from rooftree.leads.vocabulary import Purpose

SECONDS = 60  # that a bid holds: buyers' bids were seen to hold 30 to 120
LONGEST_SECONDS = 3600
MOST_PRICES = 500
FAMILIES = {  # a price for a refinance is one for each kind of it
    Purpose.REFINANCE_CASH_OUT: Purpose.REFINANCE,
    Purpose.REFINANCE_RATE_TERM: Purpose.REFINANCE,
    Purpose.HOME_EQUITY_LOAN: Purpose.HOME_EQUITY,
    Purpose.HELOC: Purpose.HOME_EQUITY,
}
WHY_NOT = {  # as the vendor is told
    "not_set_up": "no price is set",
    "state_missing": "state is missing",
    "not_licensed": "not licensed in this state",
    "no_price": "no price for this kind of lead",
    "duplicate": "duplicate",
    "daily_cap": "daily cap reached",
    "monthly_cap": "monthly cap reached",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one kind of lead is worth; "" is any purpose, any state."""

    cents: int
    purpose: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a source's pings are answered. Without a price there is no bid."""

    prices: tuple[Price, ...] = ()
    per_day: int | None = None  # leads bought, by the company's day
    per_month: int | None = None
    duplicate_days: int = 0  # a person who asked within them is not bought; 0: never looked at
    seconds: int = SECONDS

    def has_caps(self) -> bool:
        return self.per_day is not None or self.per_month is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A ping: what is offered, without the person."""

    told: Mapping[str, str] = field(default_factory=dict)  # the fields the post must repeat
    state: str = ""  # USPS
    purpose: str = ""
    phone_hash: str = ""  # SHA-256, hex
    email_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bid depends on besides the ping."""

    licensed: frozenset[str]  # states in which we may lend and somebody may originate
    bought_today: int = 0  # with the bids still out
    bought_this_month: int = 0
    is_known: bool = False  # the person asked within the window


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """0 cents is no bid; `why` is then a key of WHY_NOT."""

    cents: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A bid as it was answered, to be held to."""

    ping_id: str  # the seller's
    ask: Ask
    bid: Bid
    seconds: int
    expires_at: datetime
    is_taken: bool = False  # its post was bought

    def is_open(self, at: datetime) -> bool:
        return at <= self.expires_at


def post_key(ping_id: str) -> str:
    """What the post of a ping is known by, however often it is sent."""
    return f"pingpost:post:{ping_id}"


class Market(Protocol):
    """What is known of a source's pings, looked up when it is needed."""

    def placed(self, ping_id: str, /) -> Placed | None:
        """The bid that was placed on a ping."""
        ...

    def standing(self, ask: Ask, rules: Rules, /) -> Standing:
        """What the bid on this ping depends on."""
        ...


def rules_of(stored: Any) -> Rules:
    """They are the rules as a source's set-up holds them. Never raises."""
    kept = stored if isinstance(stored, Mapping) else {}
    listed = kept.get("prices")
    rows = listed if isinstance(listed, list) else []
    prices = (_price(row) for row in rows[:MOST_PRICES] if isinstance(row, Mapping))
    return Rules(
        prices=tuple(one for one in prices if one.cents > 0),
        per_day=_whole(kept.get("per_day")),
        per_month=_whole(kept.get("per_month")),
        duplicate_days=_whole(kept.get("duplicate_days")) or 0,
        seconds=min(_whole(kept.get("seconds")) or SECONDS, LONGEST_SECONDS),
    )


def bid_on(ask: Ask, rules: Rules, standing: Standing) -> Bid:
    """It is what we offer for a ping, or why we offer nothing."""
    cents = _worth(ask, rules.prices)
    refusals = (
        ("not_set_up", not rules.prices),
        ("state_missing", not ask.state),
        ("not_licensed", ask.state not in standing.licensed),
        ("no_price", not cents),
        ("duplicate", rules.duplicate_days > 0 and standing.is_known),
        ("daily_cap", _is_full(rules.per_day, standing.bought_today)),
        ("monthly_cap", _is_full(rules.per_month, standing.bought_this_month)),
    )
    why = next((why for why, is_so in refusals if is_so), "")
    return Bid(cents=0 if why else cents, why=why)


def hashes_of(phone: str | None, email: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """They are the hashes a ping may carry for a number (E.164) and an address.

    Sellers hash a number with its +1, with the 1, or as ten digits.
    """
    digits = (phone or "").removeprefix("+")
    numbers = [phone, digits, digits.removeprefix("1")] if phone else []
    return _hashed(numbers), _hashed([email.strip().lower()] if email else [])


def _worth(ask: Ask, prices: Iterable[Price]) -> int:
    """The price for just this state and purpose, else for the state, the purpose, all."""
    purpose = FAMILIES.get(Purpose(ask.purpose), ask.purpose) if ask.purpose else ""
    fitting = [
        one
        for one in prices
        if one.state in ("", ask.state) and one.purpose in ("", purpose, ask.purpose)
    ]
    best = max(fitting, key=lambda one: (bool(one.state), bool(one.purpose)), default=None)
    return best.cents if best else 0


def _is_full(cap: int | None, bought: int) -> bool:
    return cap is not None and bought >= cap


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        cents=_whole(row.get("cents")) or 0,
        purpose=str(row.get("purpose") or ""),
        state=str(row.get("state") or ""),
    )


def _whole(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_whole else None


def _hashed(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(hashlib.sha256(one.encode()).hexdigest() for one in values if one)

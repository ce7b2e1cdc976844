"""Amounts of money as people and vendors write them, in integer US cents."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

MAX_DOLLARS = Decimal(50_000_000)  # dollars; above it a typing error is likelier than a house
_MAX_TEXT_LENGTH = 60  # a longer text is no amount
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000, "mm": 1_000_000}
_THOUSANDS |= {"thousand": 1_000, "grand": 1_000, "million": 1_000_000, "mil": 1_000_000}
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)(thousand|grand|million|k|mm|mil|m)?\.?"
_SINGLE_AMOUNT = re.compile(_NUMBER)
_RANGE = re.compile(rf"(?:between)?{_NUMBER}(?:-|–|—|to|and){_NUMBER}")
_FLOOR_BEFORE = re.compile(rf"(?:over|above|morethan|atleast|>=?){_NUMBER}")
_FLOOR_AFTER = re.compile(rf"{_NUMBER}(?:\+|ormore|andup|orover|andabove|orabove|orhigher|plus)")
_CEILING_BEFORE = re.compile(rf"(?:under|below|lessthan|upto|<=?){_NUMBER}")
_CEILING_AFTER = re.compile(rf"{_NUMBER}(?:orless|orunder|orbelow|orlower|andunder)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)(?:%|percent)(?:down)?")
_NOT_THOUSANDS = re.compile(r",(?!\d{3}(?!\d))")  # "1.234,56" is ambiguous; don't guess
_NOISE = re.compile(r"[\s,_'$]|usd|us\$|dollars?|^(?:~|≈|approx(?:imately|\.)?|about|around)")
_FLOAT = re.compile(r"\d\.\d{1,15}[eE]\+?0?[1-8]")  # 3.5E5, as spreadsheets and programs write it


class AmountKind(StrEnum):
    EXACT = "exact"
    MIDPOINT = "midpoint"  # of a range
    FLOOR = "floor"  # that much or more
    CEILING = "ceiling"  # that much or less
    PERCENT = "percent"  # of the price; not money


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount as read. `cents` is None for a percentage, `pct` for money."""

    kind: AmountKind
    cents: int | None = None
    pct: Decimal | None = None
    low_cents: int | None = None
    high_cents: int | None = None


def parse_amount(written: str | int | float | Decimal) -> Amount | None:
    """Parse an amount in dollars; return None when it cannot be used.

    None stands for text that is no number, a negative amount, or one above `MAX_DOLLARS`. A
    range gives its midpoint and keeps its bounds, "N or more" gives N, a percentage stays one.
    """
    if isinstance(written, str):
        return _parse_text(written)
    try:
        return _amount_from_dollars(Decimal(str(written)))
    except InvalidOperation:
        return None


def _parse_text(written: str) -> Amount | None:
    if len(written) > _MAX_TEXT_LENGTH or _NOT_THOUSANDS.search(written):
        return None
    if _FLOAT.fullmatch(written.strip()):
        return _amount_from_dollars(Decimal(written.strip()))
    text = _NOISE.sub("", written.strip().lower())
    if match := _PERCENT.fullmatch(text):
        pct = Decimal(match[1])
        return Amount(kind=AmountKind.PERCENT, pct=pct) if pct <= 100 else None
    if match := _SINGLE_AMOUNT.fullmatch(text):
        return _amount_from_dollars(_to_dollars(match[1], match[2]))
    if match := _RANGE.fullmatch(text):
        return _parse_range(match)
    if match := _FLOOR_BEFORE.fullmatch(text) or _FLOOR_AFTER.fullmatch(text):
        return _amount_from_dollars(_to_dollars(match[1], match[2]), AmountKind.FLOOR)
    if match := _CEILING_BEFORE.fullmatch(text) or _CEILING_AFTER.fullmatch(text):
        return _amount_from_dollars(_to_dollars(match[1], match[2]), AmountKind.CEILING)
    return None


def _parse_range(match: re.Match[str]) -> Amount | None:
    """Read a range; "200k - 250k" and "200 - 250k" both mean thousands."""
    shares_unit = match[2] is None and Decimal(match[1]) <= Decimal(match[3])
    low = _to_dollars(match[1], match[4] if shares_unit else match[2])
    high = _to_dollars(match[3], match[4])
    if low > high or high > MAX_DOLLARS:
        return None
    return Amount(
        kind=AmountKind.MIDPOINT,
        cents=_to_cents((low + high) / 2),
        low_cents=_to_cents(low),
        high_cents=_to_cents(high),
    )


def _to_dollars(digits: str, thousands: str | None) -> Decimal:
    return Decimal(digits) * _THOUSANDS[thousands or ""]


def _amount_from_dollars(dollars: Decimal, kind: AmountKind = AmountKind.EXACT) -> Amount | None:
    if not dollars.is_finite() or dollars < 0 or dollars > MAX_DOLLARS:
        return None
    return Amount(kind=kind, cents=_to_cents(dollars))


def _to_cents(dollars: Decimal) -> int:
    return int((dollars * 100).quantize(Decimal(1), ROUND_HALF_UP))


def format_cents(cents: int) -> str:
    """Format an amount to the cent, as people write it: `$1,963.00`."""
    sign = "−" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"

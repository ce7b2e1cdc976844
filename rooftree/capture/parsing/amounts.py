"""Amounts, percentages and counts of a delivery, with a warning for each doubt."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.leads.canonical import Loan
from rooftree.leads.vocabulary import CreditBand, IncomeBand, LtvSource, Purpose

_PLACES = Decimal("0.001")
_MAX_PCT = 1000
_BANDS = (
    (50_000, IncomeBand.UNDER_50K),
    (75_000, IncomeBand.FROM_50K_TO_75K),
    (100_000, IncomeBand.FROM_75K_TO_100K),
    (150_000, IncomeBand.FROM_100K_TO_150K),
    (200_000, IncomeBand.FROM_150K_TO_200K),
)
_CREDIT_BANDS = ((740, CreditBand.EXCELLENT), (700, CreditBand.GOOD), (640, CreditBand.FAIR))


@dataclass(frozen=True, slots=True, kw_only=True)
class DownPayment:
    """As given: money or a share of the price, never both."""

    cents: int | None = None
    pct: Decimal | None = None


def parse_cents(value: Any, field: str, notes: ReadingNotes) -> int | None:
    """It is the amount of `value` (dollars) in cents; None when absent or unusable.

    Warns `bad_amount`, `amount_range_midpoint`, `amount_floor`, `amount_ceiling`.
    """
    return None if value is None else _parse_money(value, field, notes, allow_percent=False).cents


def parse_positive_cents(value: Any, field: str, notes: ReadingNotes) -> int | None:
    """As `cents`, where 0 is how a vendor says unknown."""
    return parse_cents(value, field, notes) or None


def parse_down_payment(value: Any, notes: ReadingNotes) -> DownPayment:
    """It is the down payment in money, or in percent where the text says so ("5% down")."""
    return _parse_money(value, "loan.down_payment", notes, allow_percent=True)


def _parse_money(
    value: Any, field: str, notes: ReadingNotes, *, allow_percent: bool
) -> DownPayment:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return DownPayment()
    usable = isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)
    read = parse_amount(value) if usable else None
    if read is None or (read.kind is AmountKind.PERCENT and not allow_percent):
        notes.warn(f"bad_amount:{field}")
        notes.keep(field, value)
        return DownPayment()
    if read.kind in (AmountKind.FLOOR, AmountKind.CEILING):
        notes.warn(f"amount_{read.kind}:{field}")
    if read.kind is AmountKind.MIDPOINT:
        notes.warn(f"amount_range_midpoint:{field}")
        notes.keep(f"{field}_low_cents", read.low_cents)
        notes.keep(f"{field}_high_cents", read.high_cents)
    return DownPayment(cents=read.cents, pct=read.pct)


def parse_percent(value: Any, field: str, notes: ReadingNotes) -> Decimal | None:
    """It is a percentage with at most three decimals; warns `bad_percent`."""
    if value is None:
        return None
    text = str(value).strip().rstrip("%").strip() if not isinstance(value, bool) else "?"
    if text == "":
        return None
    found = _parse_number(text)
    if found is None or not 0 <= found <= _MAX_PCT:
        notes.warn(f"bad_percent:{field}")
        notes.keep(field, value)
        return None
    return round_percent(found)


def parse_count(value: Any, field: str, notes: ReadingNotes, *, low: int, high: int) -> int | None:
    """It is a whole number from `low` to `high`; warns `bad_number`."""
    if value is None or str(value).strip() == "":
        return None
    found = None if isinstance(value, bool) else _parse_number(str(value).strip())
    if found is None or not low <= found <= high or found != int(found):
        notes.warn(f"bad_number:{field}")
        notes.keep(field, value)
        return None
    return int(found)


def round_percent(pct: Decimal) -> Decimal:
    """It is a percentage as the canonical record holds it."""
    return pct.quantize(_PLACES, ROUND_HALF_UP).normalize()


def percent_share(part: int | None, whole: int | None) -> Decimal | None:
    """It is `part` in percent of `whole`; None unless both are known and positive."""
    if part is None or not whole or part < 0:
        return None
    found = Decimal(part) * 100 / Decimal(whole)
    return round_percent(found) if found <= _MAX_PCT else None


def income_band(annual_cents: int | None) -> IncomeBand | None:
    """It is the band of a year's income."""
    if annual_cents is None:
        return None
    above = (band for dollars, band in _BANDS if annual_cents < dollars * 100)
    return next(above, IncomeBand.FROM_200K)


def credit_band(score: int | None) -> CreditBand | None:
    """It is the band of a score, or of a range's low end."""
    if score is None:
        return None
    above = (band for low, band in _CREDIT_BANDS if score >= low)
    return next(above, CreditBand.POOR)


def implied_loan_sizes(
    loan: Loan, *, value_cents: int | None, price_cents: int | None
) -> dict[str, Any]:
    """It is what the loan's known sizes imply: the other form of the down payment, the LTV.

    Returns the fields to change on `loan`. A vendor's own LTV stands.
    """
    implied: dict[str, Any] = {}
    if loan.purpose is Purpose.PURCHASE and price_cents:
        if loan.down_payment_cents is not None:
            implied["down_payment_pct"] = percent_share(loan.down_payment_cents, price_cents)
        elif loan.down_payment_pct is not None:
            whole = Decimal(price_cents) * loan.down_payment_pct / 100
            implied["down_payment_cents"] = int(whole.quantize(Decimal(1), ROUND_HALF_UP))
    if loan.ltv_pct:
        return {**implied, "ltv_source": LtvSource.VENDOR}
    derived = percent_share(loan.amount_cents, value_cents) if loan.amount_cents else None
    source = LtvSource.DERIVED if derived else None
    return {**implied, "ltv_pct": derived, "ltv_source": source}


def _parse_number(text: str) -> Decimal | None:
    if len(text) > 40:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None

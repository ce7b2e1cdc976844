"""Parsers for amounts, percentages and counts, with a warning for each doubtful value."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.core.money_amounts import AmountKind, parse_amount
from rooftree.leads.canonical import Loan
from rooftree.leads.vocabulary import CreditBand, IncomeBand, LtvSource, Purpose

_PLACES = Decimal("0.001")
_MAX_PCT = 1000
_MAX_BARE_PERCENT = 100  # a down payment up to this number, without a sign, is a percentage
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
    """A down payment as given: cents or a percentage of the price, never both."""

    cents: int | None = None
    pct: Decimal | None = None


def parse_cents(value: Any, field: str, notes: ReadingNotes) -> int | None:
    """Parse `value` (dollars) to cents; return None when absent or unusable.

    Warns `bad_amount`, `amount_range_midpoint`, `amount_floor`, `amount_ceiling`.
    """
    return None if value is None else _parse_money(value, field, notes, allow_percent=False).cents


def parse_positive_cents(value: Any, field: str, notes: ReadingNotes) -> int | None:
    """Parse dollars to cents as `parse_cents` does; a 0, which means unknown, becomes None."""
    return parse_cents(value, field, notes) or None


def parse_down_payment(value: Any, notes: ReadingNotes) -> DownPayment:
    """Parse a down payment in dollars, or in percent where the text says so ("5% down").

    A bare number up to 100 is a percentage too, and one below 1 a share (0.2): nobody puts ten
    dollars down.
    """
    down = _parse_money(value, "loan.down_payment", notes, allow_percent=True)
    bare_number = _parse_number(str(value).strip())
    if not down.cents or down.cents > _MAX_BARE_PERCENT * 100 or bare_number is None:
        return down
    notes.warn("down_payment_read_as_percent")
    return DownPayment(pct=round_percent(bare_number * (100 if bare_number < 1 else 1)))


def _parse_money(
    value: Any, field: str, notes: ReadingNotes, *, allow_percent: bool
) -> DownPayment:
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return DownPayment()
    usable = isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)
    amount = parse_amount(value) if usable else None
    if amount is None or (amount.kind is AmountKind.PERCENT and not allow_percent):
        notes.warn(f"bad_amount:{field}")
        notes.keep_extra(field, value)
        return DownPayment()
    if amount.kind in (AmountKind.FLOOR, AmountKind.CEILING):
        notes.warn(f"amount_{amount.kind}:{field}")
    if amount.kind is AmountKind.MIDPOINT:
        notes.warn(f"amount_range_midpoint:{field}")
        notes.keep_extra(f"{field}_low_cents", amount.low_cents)
        notes.keep_extra(f"{field}_high_cents", amount.high_cents)
    return DownPayment(cents=amount.cents, pct=amount.pct)


def parse_percent(value: Any, field: str, notes: ReadingNotes) -> Decimal | None:
    """Parse a percentage, rounded to three decimals; warn `bad_percent`."""
    if value is None:
        return None
    text = str(value).strip().rstrip("%").strip() if not isinstance(value, bool) else "?"
    if text == "":
        return None
    number = _parse_number(text)
    if number is None or not 0 <= number <= _MAX_PCT:
        notes.warn(f"bad_percent:{field}")
        notes.keep_extra(field, value)
        return None
    return round_percent(number)


def parse_count(value: Any, field: str, notes: ReadingNotes, *, low: int, high: int) -> int | None:
    """Parse a whole number from `low` to `high`; warn `bad_number`."""
    if value is None or str(value).strip() == "":
        return None
    number = None if isinstance(value, bool) else _parse_number(str(value).strip())
    if number is None or not low <= number <= high or number != int(number):
        notes.warn(f"bad_number:{field}")
        notes.keep_extra(field, value)
        return None
    return int(number)


def round_percent(pct: Decimal) -> Decimal:
    """Round a percentage to three decimals, as in the canonical record."""
    return pct.quantize(_PLACES, ROUND_HALF_UP).normalize()


def percent_share(part: int | None, whole: int | None) -> Decimal | None:
    """Return `part` in percent of `whole`; None unless `whole` is positive and `part` is known."""
    if part is None or not whole or part < 0:
        return None
    percent = Decimal(part) * 100 / Decimal(whole)
    return round_percent(percent) if percent <= _MAX_PCT else None


def income_band(annual_cents: int | None) -> IncomeBand | None:
    """Return the band of an annual income."""
    if annual_cents is None:
        return None
    bands = (band for dollars, band in _BANDS if annual_cents < dollars * 100)
    return next(bands, IncomeBand.FROM_200K)


def credit_band(score: int | None) -> CreditBand | None:
    """Return the band of a credit score, or of the low end of a range."""
    if score is None:
        return None
    bands = (band for low, band in _CREDIT_BANDS if score >= low)
    return next(bands, CreditBand.POOR)


def implied_loan_sizes(
    loan: Loan, *, value_cents: int | None, price_cents: int | None
) -> dict[str, Any]:
    """Derive the other form of the down payment, and the LTV; return the fields to change.

    A vendor's own LTV is kept.
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
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

"""Monthly payment, balance and savings of fixed-rate loans."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

PRECISION = 40


def monthly_payment_cents(amount_cents: int, rate_pct: Decimal, term_months: int) -> int:
    """Return monthly principal and interest of a fixed-rate loan, to the nearest cent.

    Args:
        amount_cents: the loan amount.
        rate_pct: the note rate in percent a year; 0 divides the amount evenly.
        term_months: the number of equal payments; at least 1.

    Excludes taxes, insurance and mortgage insurance; say so wherever it is shown.
    """
    with localcontext() as context:
        context.prec = PRECISION
        payment = amount_cents * _payment_factor(rate_pct, term_months)
        return int(payment.quantize(Decimal(1), ROUND_HALF_UP))


def balance_cents(amount_cents: int, rate_pct: Decimal, term_months: int, months: int) -> int:
    """Return the balance of a fixed-rate loan after `months` payments; 0 after the last."""
    if months >= term_months:
        return 0
    with localcontext() as context:
        context.prec = PRECISION
        left = amount_cents * _balance_factor(rate_pct, term_months, max(months, 0))
        return int(left.quantize(Decimal(1), ROUND_HALF_UP))


def monthly_savings_cents(
    *, amount_cents: int, from_pct: Decimal, to_pct: Decimal, term_months: int
) -> int:
    """Return how much lower the payment is at the same balance and term; can be negative."""
    return monthly_payment_cents(amount_cents, from_pct, term_months) - monthly_payment_cents(
        amount_cents, to_pct, term_months
    )


@lru_cache(maxsize=65_536)
def _payment_factor(rate_pct: Decimal, term_months: int) -> Decimal:
    """Return the payment for each unit borrowed, in the caller's precision."""
    monthly = rate_pct / 1200
    if monthly == 0:
        return Decimal(1) / term_months
    growth = (1 + monthly) ** term_months
    return monthly * growth / (growth - 1)


@lru_cache(maxsize=65_536)
def _balance_factor(rate_pct: Decimal, term_months: int, months: int) -> Decimal:
    monthly = rate_pct / 1200
    if monthly == 0:
        return Decimal(term_months - months) / term_months
    growth = (1 + monthly) ** term_months
    return (growth - (1 + monthly) ** months) / (growth - 1)

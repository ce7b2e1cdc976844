"""What a rate means in dollars a month."""

from decimal import ROUND_HALF_UP, Decimal, localcontext


def monthly_payment_cents(amount_cents: int, rate_pct: Decimal, term_months: int) -> int:
    """Principal and interest a month, to the nearest cent, of a fixed-rate loan.

    Args:
        amount_cents: what is borrowed.
        rate_pct: the note rate in percent a year; 0 divides the amount evenly.
        term_months: over how many equal payments; at least 1.

    Taxes, insurance and mortgage insurance are not in it; say so beside it.
    """
    with localcontext() as context:
        context.prec = 40
        monthly = rate_pct / 1200
        if monthly == 0:
            payment = Decimal(amount_cents) / term_months
        else:
            growth = (1 + monthly) ** term_months
            payment = amount_cents * monthly * growth / (growth - 1)
        return int(payment.quantize(Decimal(1), ROUND_HALF_UP))


def monthly_savings_cents(
    *, amount_cents: int, from_pct: Decimal, to_pct: Decimal, term_months: int
) -> int:
    """How much less the payment of the same balance and term is; negative when it is more."""
    return monthly_payment_cents(amount_cents, from_pct, term_months) - monthly_payment_cents(
        amount_cents, to_pct, term_months
    )

"""Record rates as a lender's rate sheet showed them."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction

from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.rates.models import RateObservation

PRODUCTS = {
    "30yr_fixed": "30-year fixed",
    "20yr_fixed": "20-year fixed",
    "15yr_fixed": "15-year fixed",
    "30yr_fha": "30-year FHA",
    "30yr_va": "30-year VA",
}
MIN_PCT, MAX_PCT = Decimal("0.5"), Decimal(25)  # beyond these a typing error is likelier


class InvalidRate(Exception):
    """The entered rate or product is invalid. The text is fit to show."""


class SheetRate(TypedDict):
    """The figures of one rate on a sheet, in percent; `sheet` names the sheet's owner."""

    product: str
    rate_pct: Decimal
    apr_pct: Decimal
    points: Decimal
    sheet: str


def record_rate(
    *, by: User | None, at: datetime, **sheet_rate: Unpack[SheetRate]
) -> RateObservation:
    """Store one observation; `at` is when the sheet showed it.

    A rate is never stored without its APR (12 CFR 1026.24(c)). Raises `InvalidRate`
    for an unknown product, or for figures that no sheet shows.
    """
    _require_plausible(sheet_rate["product"], sheet_rate["rate_pct"], sheet_rate["apr_pct"])
    with transaction.atomic():
        observation = RateObservation.objects.create(
            **sheet_rate, observed_at=at, recorded_by=by, recorded_at=at
        )
        write_event(
            "rates.rate.observed",
            at=at,
            actor=f"user:{by.pk}" if by else "system:rates",
            observation_id=observation.pk,
            product=observation.product,
            rate_pct=str(observation.rate_pct),
            apr_pct=str(observation.apr_pct),
        )
    return observation


def latest_rate(product: str) -> RateObservation | None:
    """Return the latest observation of a product, or None."""
    return RateObservation.objects.filter(product=product).order_by("-observed_at", "-id").first()


def _require_plausible(product: str, rate_pct: Decimal, apr_pct: Decimal) -> None:
    if product not in PRODUCTS:
        raise InvalidRate(f"{product} is not one of our rate products.")
    for name, pct in (("rate", rate_pct), ("APR", apr_pct)):
        if not MIN_PCT <= pct <= MAX_PCT:
            raise InvalidRate(f"A {name} of {pct}% is not between {MIN_PCT}% and {MAX_PCT}%.")
    if apr_pct < rate_pct - 1:
        raise InvalidRate(f"An APR of {apr_pct}% is too far below a rate of {rate_pct}%.")

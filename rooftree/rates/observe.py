"""Recording a rate as a lender's sheet showed it."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from django.db import transaction

from rooftree.ledger.write import write
from rooftree.org.models import User
from rooftree.rates.models import RateObservation

PRODUCTS = {
    "30yr_fixed": "30-year fixed",
    "20yr_fixed": "20-year fixed",
    "15yr_fixed": "15-year fixed",
    "30yr_fha": "30-year FHA",
    "30yr_va": "30-year VA",
}
LOWEST_PCT, HIGHEST_PCT = Decimal("0.5"), Decimal(25)  # beyond these a slip is likelier


class NotARate(Exception):
    """What was typed cannot be a rate of ours. The text is fit to show."""


class Seen(TypedDict):
    """What the sheet said. Rates in percent; `sheet` names whose it is."""

    product: str
    rate_pct: Decimal
    apr_pct: Decimal
    points: Decimal
    sheet: str


def record(*, by: User | None, at: datetime, **seen: Unpack[Seen]) -> RateObservation:
    """Keep one observation; `at` is when the sheet showed it.

    A rate is never kept without its APR (12 CFR 1026.24(c)). Raises `NotARate`
    for a product we do not know, or figures that no sheet shows.
    """
    _must_be_possible(seen["product"], seen["rate_pct"], seen["apr_pct"])
    with transaction.atomic():
        observation = RateObservation.objects.create(
            **seen, observed_at=at, recorded_by=by, recorded_at=at
        )
        write(
            "rates.rate.observed",
            at=at,
            actor=f"user:{by.pk}" if by else "system:rates",
            observation_id=observation.pk,
            product=observation.product,
            rate_pct=str(observation.rate_pct),
            apr_pct=str(observation.apr_pct),
        )
    return observation


def newest(product: str) -> RateObservation | None:
    """The last observation of a product."""
    return RateObservation.objects.filter(product=product).order_by("-observed_at", "-id").first()


def _must_be_possible(product: str, rate_pct: Decimal, apr_pct: Decimal) -> None:
    if product not in PRODUCTS:
        raise NotARate(f"{product} is not one of our rate products.")
    for name, pct in (("rate", rate_pct), ("APR", apr_pct)):
        if not LOWEST_PCT <= pct <= HIGHEST_PCT:
            raise NotARate(f"A {name} of {pct}% is not between {LOWEST_PCT}% and {HIGHEST_PCT}%.")
    if apr_pct < rate_pct - 1:
        raise NotARate(f"An APR of {apr_pct}% is too far below a rate of {rate_pct}%.")

"""The company's rate sheets: rates that fluctuate from week to week."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

RATE_STEP = Decimal("0.125")
SHEET_NAME = "Lindenfield retail"
RATE_OFFSETS = {
    "30yr_fixed": Decimal(0),
    "15yr_fixed": Decimal("-0.75"),
    "30yr_fha": Decimal("-0.375"),
}
APR_SPREADS = {
    "30yr_fixed": Decimal("0.162"),
    "15yr_fixed": Decimal("0.241"),
    "30yr_fha": Decimal("0.713"),
}
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSheetLine:
    """One product's line on the sheet of one morning."""

    product: str
    rate_pct: Decimal
    apr_pct: Decimal
    points: Decimal
    at: datetime


def rate_at(at: datetime) -> Decimal:
    """Return the 30-year rate of a day, in eighths; always the same for the same day."""
    week = at.timestamp() / WEEK.total_seconds()
    wave = 6.5 + 0.28 * math.sin(week / 5.1) + 0.13 * math.sin(week / 1.7)
    return round(Decimal(wave) / RATE_STEP) * RATE_STEP


def sheet_line(product: str, rate_pct: Decimal, at: datetime) -> RateSheetLine:
    """Build a product's line for a 30-year rate of `rate_pct`."""
    rate = rate_pct + RATE_OFFSETS[product]
    return RateSheetLine(
        product=product,
        rate_pct=rate,
        apr_pct=rate + APR_SPREADS[product],
        points=Decimal("0.5"),
        at=at,
    )


def weekly_sheets(start: datetime, end: datetime) -> Iterator[RateSheetLine]:
    """Yield the lines of every week's sheet from `start` until `end`, oldest first."""
    at = start.replace(hour=14, minute=30, second=0, microsecond=0)
    while at < end:
        for product in RATE_OFFSETS:
            yield sheet_line(product, rate_at(at), at)
        at += WEEK

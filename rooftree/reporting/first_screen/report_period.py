"""Periods of a report: whole months, quarters and years of arrival."""

import re
from dataclasses import dataclass
from datetime import date

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_QUARTER = re.compile(r"(20\d\d)-q([1-4])")
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"12m-(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """Whole months, from a day until a day (exclusive)."""

    key: str  # as in a URL: 2026-q3, 2026-10, 12m-2026-10 (its last month)
    kind: str  # month | quarter | year
    label: str  # Q3 2026
    from_date: date
    until_date: date

    def previous(self) -> "ReportPeriod":
        """Return the period of the same kind that ends where this one begins."""
        return _period_ending_at(self.kind, _month_number(self.from_date))

    def following(self) -> "ReportPeriod":
        """Return the period of the same kind that begins where this one ends."""
        return _period_ending_at(
            self.kind, _month_number(self.until_date) + _MONTHS_PER_KIND[self.kind]
        )


_MONTHS_PER_KIND = {"month": 1, "quarter": 3, "year": 12}


def last_complete_period(kind: str, today: date) -> ReportPeriod:
    """Return the newest period of a kind that has ended by `today`."""
    month = _month_number(today)
    return _period_ending_at(kind, month - month % 3 if kind == "quarter" else month)


def parse_period(key: str, today: date) -> ReportPeriod | None:
    """Parse the period key of a URL; return None if it is invalid or has not begun."""
    if match := _QUARTER.fullmatch(key):
        kind, end = "quarter", int(match[1]) * 12 + int(match[2]) * 3
    elif match := _YEAR.fullmatch(key):
        kind, end = "year", int(match[1]) * 12 + int(match[2])
    elif match := _MONTH.fullmatch(key):
        kind, end = "month", int(match[1]) * 12 + int(match[2])
    else:
        return None
    period = _period_ending_at(kind, end)
    return period if period.from_date <= today else None


def _period_ending_at(kind: str, end: int) -> ReportPeriod:
    """Build the period whose last month is the month before number `end`."""
    start, last = _month_start(end - _MONTHS_PER_KIND[kind]), _month_start(end - 1)
    if kind == "quarter":
        quarter = (start.month + 2) // 3
        key, label = f"{start.year}-q{quarter}", f"Q{quarter} {start.year}"
    elif kind == "month":
        key, label = f"{start:%Y-%m}", f"{MONTHS[start.month - 1]} {start.year}"
    else:
        key = f"12m-{last:%Y-%m}"
        label = f"12 months to {MONTHS[last.month - 1]} {last.year}"
    return ReportPeriod(
        key=key, kind=kind, label=label, from_date=start, until_date=_month_start(end)
    )


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month_start(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)

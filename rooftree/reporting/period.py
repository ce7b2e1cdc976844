"""The days a report looks at: whole months and quarters of arrival."""

import re
from dataclasses import dataclass
from datetime import date

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_QUARTER = re.compile(r"(20\d\d)-q([1-4])")
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"12m-(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole months, from a day until a day (exclusive)."""

    key: str  # as in an address: 2026-q3, 2026-10, 12m-2026-10 (the last month of it)
    kind: str  # month | quarter | year
    label: str  # Q3 2026
    from_date: date
    until_date: date

    def before(self) -> "Period":
        """The period of the same kind that ends where this one begins."""
        return _ending(self.kind, _month_of(self.from_date))

    def after(self) -> "Period":
        """The period of the same kind that begins where this one ends."""
        return _ending(self.kind, _month_of(self.until_date) + _LENGTH[self.kind])


_LENGTH = {"month": 1, "quarter": 3, "year": 12}


def last_complete(kind: str, today: date) -> Period:
    """The newest period of a kind that has ended by `today`."""
    month = _month_of(today)
    return _ending(kind, month - month % 3 if kind == "quarter" else month)


def named(key: str, today: date) -> Period | None:
    """The period an address names; None for what is no period, or has not begun."""
    if found := _QUARTER.fullmatch(key):
        kind, end = "quarter", int(found[1]) * 12 + int(found[2]) * 3
    elif found := _YEAR.fullmatch(key):
        kind, end = "year", int(found[1]) * 12 + int(found[2])
    elif found := _MONTH.fullmatch(key):
        kind, end = "month", int(found[1]) * 12 + int(found[2])
    else:
        return None
    period = _ending(kind, end)
    return period if period.from_date <= today else None


def _ending(kind: str, end: int) -> Period:
    """The period whose months end before the month numbered `end`."""
    start, last = _first_day(end - _LENGTH[kind]), _first_day(end - 1)
    if kind == "quarter":
        quarter = (start.month + 2) // 3
        key, label = f"{start.year}-q{quarter}", f"Q{quarter} {start.year}"
    elif kind == "month":
        key, label = f"{start:%Y-%m}", f"{MONTHS[start.month - 1]} {start.year}"
    else:
        key = f"12m-{last:%Y-%m}"
        label = f"12 months to {MONTHS[last.month - 1]} {last.year}"
    return Period(key=key, kind=kind, label=label, from_date=start, until_date=_first_day(end))


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)

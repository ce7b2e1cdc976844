"""How a value is written over there, where our own reading of it is not enough."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.capture.notes import Notes, as_text
from rooftree.capture.targets import Kind

_EXCEL_BEGAN = datetime(1899, 12, 30)  # noqa: DTZ001 (a date of a spreadsheet has no zone)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAY_FIRST = tuple(f"%d{sign}%m{sign}{year}" for sign in "/.-" for year in ("%Y", "%y"))
_MONTH_FIRST = tuple(f"%m{sign}%d{sign}{year}" for sign in "/.-" for year in ("%Y", "%y"))
_YEAR_FIRST = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")


def _number(text: str) -> Decimal:
    if len(text) > 40:
        raise ValueError("too long for a number")
    found = Decimal(text.replace(",", "").replace("$", "").rstrip("%").strip())
    if not found.is_finite() or abs(found.adjusted()) > 18:
        raise ValueError("no number of this world")
    return found


def _date(text: str, shapes: tuple[str, ...]) -> str:
    for shape in shapes:
        for clock in _CLOCKS:
            try:
                found = datetime.strptime(text, shape + clock)  # noqa: DTZ007 (the source's zone)
            except ValueError:
                continue
            return found.isoformat() if clock else found.date().isoformat()
    raise ValueError("written otherwise")


def _since_1970(text: str, part: int) -> str:
    return datetime.fromtimestamp(float(_number(text) / part), UTC).isoformat()


def _excel_day(text: str) -> str:
    at = _EXCEL_BEGAN + timedelta(days=float(_number(text)))
    return at.isoformat() if at.time() != datetime.min.time() else at.date().isoformat()


def _last_first(text: str) -> str:
    last, comma, first = text.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else text


type Convert = Callable[[str], Any]
_MOMENTS: dict[str, tuple[str, Convert]] = {
    "month_first": ("Month first: 11/24/2026", lambda text: _date(text, _MONTH_FIRST)),
    "day_first": ("Day first: 24/11/2026", lambda text: _date(text, _DAY_FIRST)),
    "year_first": ("Year first: 2026/11/24", lambda text: _date(text, _YEAR_FIRST)),
    "unix": ("Seconds since 1970", lambda text: _since_1970(text, 1)),
    "unix_ms": ("Milliseconds since 1970", lambda text: _since_1970(text, 1000)),
    "excel": ("A spreadsheet's day number", _excel_day),
}
_AMOUNTS: dict[str, tuple[str, Convert]] = {
    "cents": ("In cents", lambda text: _number(text) / 100),
    "thousands": ("In thousands", lambda text: _number(text) * 1000),
    "monthly": ("A month; we keep a year", lambda text: _number(text) * 12),
    "percent": ("In percent of the price", lambda text: _as_percent(text)),
}
CONVERSIONS: dict[Kind, dict[str, tuple[str, Convert]]] = {
    Kind.MOMENT: _MOMENTS,
    Kind.MONEY: _AMOUNTS,
    Kind.PERCENT: {"fraction": ("A fraction: 0.06875", lambda text: _number(text) * 100)},
    Kind.NUMBER: {"months": ("In months; we keep years", lambda text: _number(text) / 12)},
    Kind.NAME: {"last_first": ("Last name, first name", _last_first)},
    Kind.YES: {
        "not": ("Turned around: yes means no", lambda text: _turned(text)),
    },
}


def _as_percent(text: str) -> str:
    """A bare number up to 100 is a percentage; money and what says percent stay as they are."""
    try:
        return f"{text}%" if _number(text) <= 100 and "%" not in text else text
    except (ValueError, InvalidOperation):
        return text


def _turned(text: str) -> str:
    word = text.lower()
    if word in ("y", "yes", "true", "1", "on"):
        return "no"
    if word in ("n", "no", "false", "0", "off"):
        return "yes"
    raise ValueError("neither yes nor no")


def converted(value: Any, how: str, kind: Kind, *, field: str, notes: Notes) -> Any:
    """It is the value as our own reading takes it; None with `bad_value` where it cannot be.

    Args:
        how: a key of CONVERSIONS for this kind; "" leaves the value alone.
    """
    text = as_text(value).strip()
    if not how or not text:
        return value
    known = CONVERSIONS.get(kind, {}).get(how)
    if known is None:
        return value
    try:
        return known[1](text)
    except (ValueError, ArithmeticError, InvalidOperation, OverflowError, OSError):
        notes.warn(f"bad_value:{field}")
        notes.keep(field, value)
        return None

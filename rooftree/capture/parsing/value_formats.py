"""How a value is written over there, where our own reading of it is not enough."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.target_fields import FieldKind

_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a date of a spreadsheet has no zone)
_TIME_SHAPES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAY_FIRST = tuple(f"%d{sign}%m{sign}{year}" for sign in "/.-" for year in ("%Y", "%y"))
_MONTH_FIRST = tuple(f"%m{sign}%d{sign}{year}" for sign in "/.-" for year in ("%Y", "%y"))
_YEAR_FIRST = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")


def _parse_number(text: str) -> Decimal:
    if len(text) > 40:
        raise ValueError("too long for a number")
    found = Decimal(text.replace(",", "").replace("$", "").rstrip("%").strip())
    if not found.is_finite() or abs(found.adjusted()) > 18:
        raise ValueError("no number of this world")
    return found


def _parse_date(text: str, shapes: tuple[str, ...]) -> str:
    for shape in shapes:
        for clock in _TIME_SHAPES:
            try:
                found = datetime.strptime(text, shape + clock)  # noqa: DTZ007 (the source's zone)
            except ValueError:
                continue
            return found.isoformat() if clock else found.date().isoformat()
    raise ValueError("written otherwise")


def _parse_unix_time(text: str, part: int) -> str:
    return datetime.fromtimestamp(float(_parse_number(text) / part), UTC).isoformat()


def _parse_excel_day(text: str) -> str:
    at = _EXCEL_EPOCH + timedelta(days=float(_parse_number(text)))
    return at.isoformat() if at.time() != datetime.min.time() else at.date().isoformat()


def _reorder_name(text: str) -> str:
    last, comma, first = text.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else text


type Convert = Callable[[str], Any]
_MOMENT_FORMATS: dict[str, tuple[str, Convert]] = {
    "month_first": ("Month first: 11/24/2026", lambda text: _parse_date(text, _MONTH_FIRST)),
    "day_first": ("Day first: 24/11/2026", lambda text: _parse_date(text, _DAY_FIRST)),
    "year_first": ("Year first: 2026/11/24", lambda text: _parse_date(text, _YEAR_FIRST)),
    "unix": ("Seconds since 1970", lambda text: _parse_unix_time(text, 1)),
    "unix_ms": ("Milliseconds since 1970", lambda text: _parse_unix_time(text, 1000)),
    "excel": ("A spreadsheet's day number", _parse_excel_day),
}
_MONEY_FORMATS: dict[str, tuple[str, Convert]] = {
    "cents": ("In cents", lambda text: _parse_number(text) / 100),
    "thousands": ("In thousands", lambda text: _parse_number(text) * 1000),
    "monthly": ("A month; we keep a year", lambda text: _parse_number(text) * 12),
    "percent": ("In percent of the price", lambda text: _mark_as_percent(text)),
}
CONVERSIONS: dict[FieldKind, dict[str, tuple[str, Convert]]] = {
    FieldKind.MOMENT: _MOMENT_FORMATS,
    FieldKind.MONEY: _MONEY_FORMATS,
    FieldKind.PERCENT: {
        "fraction": ("A fraction: 0.06875", lambda text: _parse_number(text) * 100)
    },
    FieldKind.NUMBER: {
        "months": ("In months; we keep years", lambda text: _parse_number(text) / 12)
    },
    FieldKind.NAME: {"last_first": ("Last name, first name", _reorder_name)},
    FieldKind.YES: {
        "not": ("Turned around: yes means no", lambda text: _invert_yes_no(text)),
    },
}


def _mark_as_percent(text: str) -> str:
    """A bare number up to 100 is a percentage; money and what says percent stay as they are."""
    try:
        return f"{text}%" if _parse_number(text) <= 100 and "%" not in text else text
    except (ValueError, InvalidOperation):
        return text


def _invert_yes_no(text: str) -> str:
    word = text.lower()
    if word in ("y", "yes", "true", "1", "on"):
        return "no"
    if word in ("n", "no", "false", "0", "off"):
        return "yes"
    raise ValueError("neither yes nor no")


def convert_value(value: Any, how: str, kind: FieldKind, *, field: str, notes: ReadingNotes) -> Any:
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

"""Conversions a field map can apply to a value before our own parsers read it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.target_fields import FieldKind

_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a spreadsheet date has no zone)
_TIME_SHAPES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DAY_FIRST = tuple(
    f"%d{separator}%m{separator}{year}" for separator in "/.-" for year in ("%Y", "%y")
)
_MONTH_FIRST = tuple(
    f"%m{separator}%d{separator}{year}" for separator in "/.-" for year in ("%Y", "%y")
)
_YEAR_FIRST = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")


def _parse_number(text: str) -> Decimal:
    if len(text) > 40:
        raise ValueError("too long for a number")
    number = Decimal(text.replace(",", "").replace("$", "").rstrip("%").strip())
    if not number.is_finite() or abs(number.adjusted()) > 18:
        raise ValueError("not a plausible number")
    return number


def _parse_date(text: str, date_formats: tuple[str, ...]) -> str:
    for date_format in date_formats:
        for time_format in _TIME_SHAPES:
            try:
                parsed = datetime.strptime(text, date_format + time_format)  # noqa: DTZ007 (the source's zone)
            except ValueError:
                continue
            return parsed.isoformat() if time_format else parsed.date().isoformat()
    raise ValueError("not in this date format")


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
    "excel": ("Spreadsheet day number", _parse_excel_day),
}
_MONEY_FORMATS: dict[str, tuple[str, Convert]] = {
    "cents": ("In cents", lambda text: _parse_number(text) / 100),
    "thousands": ("In thousands", lambda text: _parse_number(text) * 1000),
    "monthly": ("Per month; stored per year", lambda text: _parse_number(text) * 12),
    "percent": ("Percent of the price", lambda text: _mark_as_percent(text)),
}
CONVERSIONS: dict[FieldKind, dict[str, tuple[str, Convert]]] = {
    FieldKind.MOMENT: _MOMENT_FORMATS,
    FieldKind.MONEY: _MONEY_FORMATS,
    FieldKind.PERCENT: {
        "fraction": ("A fraction: 0.06875", lambda text: _parse_number(text) * 100)
    },
    FieldKind.NUMBER: {
        "months": ("In months; stored in years", lambda text: _parse_number(text) / 12)
    },
    FieldKind.NAME: {"last_first": ("Last name, first name", _reorder_name)},
    FieldKind.YES: {
        "not": ("Inverted: yes means no", lambda text: _invert_yes_no(text)),
    },
}


def _mark_as_percent(text: str) -> str:
    """Add a percent sign to a bare number up to 100; leave all other text alone."""
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


def convert_value(
    value: Any, conversion: str, kind: FieldKind, *, field: str, notes: ReadingNotes
) -> Any:
    """Convert a value for our own parsers; return None and warn `bad_value` when it fails.

    Args:
        conversion: a key of CONVERSIONS for this kind; "" leaves the value unchanged.
    """
    text = as_text(value).strip()
    if not conversion or not text:
        return value
    converter = CONVERSIONS.get(kind, {}).get(conversion)
    if converter is None:
        return value
    try:
        return converter[1](text)
    except (ValueError, ArithmeticError, InvalidOperation, OverflowError, OSError):
        notes.warn(f"bad_value:{field}")
        notes.keep_extra(field, value)
        return None

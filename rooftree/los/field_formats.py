"""Formats of single values in an LOS request: dollars, phone digits, streets."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_UNITS = 4  # these systems don't lend on larger buildings

type Formatter = Callable[[Any, Mapping[str, Any]], Any]


def format_dollars(cents: Any) -> int | float | None:
    """Format cents as a JSON number of dollars, with a fraction only when there are cents."""
    if not isinstance(cents, int) or isinstance(cents, bool):
        return None
    whole, rest = divmod(cents, 100)
    return whole if not rest else float(Decimal(cents) / 100)


def format_dollars_text(cents: Any) -> str | None:
    """Format cents as dollars with two decimals: `400000.00`."""
    if not isinstance(cents, int) or isinstance(cents, bool):
        return None
    return f"{Decimal(cents) / 100:.2f}"


def format_ten_digits(e164: Any) -> str | None:
    """Format a North American number without its country code; None for any other."""
    match = re.fullmatch(r"\+1([2-9][0-9]{9})", str(e164 or ""))
    return match[1] if match else None


def format_dashed_phone(e164: Any) -> str | None:
    """Format a North American number as `512-555-0143`; None for any other."""
    digits = format_ten_digits(e164)
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if digits else None


def format_street(address: Any) -> str | None:
    """Join both lines of an address."""
    if not isinstance(address, Mapping):
        return None
    return " ".join(_nonempty_texts(address, "line1", "line2")) or None


def format_person(person: Any) -> str | None:
    """Format a name and a company: `Ana Ruiz, Example Realty`."""
    if not isinstance(person, Mapping):
        return None
    return ", ".join(_nonempty_texts(person, "name", "company")) or None


def format_units(count: Any) -> int | None:
    """Return a count of one to four units; None for more."""
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 1 <= count <= MAX_UNITS else None


def format_guid(text: Any) -> str | None:
    """Return the text if it is a GUID, else None."""
    return text if isinstance(text, str) and GUID.fullmatch(text) else None


def format_text(value: Any) -> Any:
    """Return the value unchanged; None if it is empty or not a single value."""
    return value if isinstance(value, str | int) and value != "" else None


def _nonempty_texts(source: Mapping[str, Any], *names: str) -> list[str]:
    values = (source.get(name) for name in names)
    return [value for value in values if isinstance(value, str) and value]


FORMATTERS: dict[str, Formatter] = {
    "text": lambda value, _: format_text(value),
    "list": lambda value, _: [value] if value else None,
    "dollars": lambda value, _: format_dollars(value),
    "dollars_text": lambda value, _: format_dollars_text(value),
    "ten_digits": lambda value, _: format_ten_digits(value),
    "dashed_phone": lambda value, _: format_dashed_phone(value),
    "street": lambda value, _: format_street(value),
    "person": lambda value, _: format_person(value),
    "units": lambda value, _: format_units(value),
    "guid": lambda value, _: format_guid(value),
}

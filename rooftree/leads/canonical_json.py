"""Converts dataclasses to sparse JSON and back: timestamps, percentages, enums, records."""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any


class InvalidCanonicalRecord(Exception):
    """The JSON is not a valid canonical record. The text names the field."""


def format_timestamp(at: datetime) -> str:
    """Format an aware datetime as RFC 3339, in UTC with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_json_number(amount: Decimal) -> int | float:
    """Return the JSON number of a percentage: int if whole, else float."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def to_plain_json(value: Any) -> Any:
    """Convert `value` to JSON types, without None and empty fields of records."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: to_plain_json(getattr(value, field.name)) for field in fields(value)}
        return {name: part for name, part in named.items() if part not in (None, {}, [])}
    if isinstance(value, Mapping):
        return {str(key): to_plain_json(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain_json(part) for part in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, Decimal):
        return to_json_number(value)
    return value


def parse_record(kind: Any, value: Any) -> Any:
    """Build the record of type `kind` from its plain JSON form; the inverse of `to_plain_json`."""
    if not isinstance(value, Mapping):
        raise InvalidCanonicalRecord(f"{kind.__name__} is not an object.")
    readers = _field_readers(kind)
    unknown = sorted(set(value) - set(readers))
    if unknown:
        raise InvalidCanonicalRecord(f"{kind.__name__} has no field {unknown[0]}.")
    values = {name: readers[name](part) for name, part in value.items() if part is not None}
    required = {
        field.name for field in fields(kind) if field.default is field.default_factory is MISSING
    }
    if missing := required - set(values):
        raise InvalidCanonicalRecord(f"{kind.__name__} lacks {min(missing)}.")
    return kind(**values)


@cache
def _field_readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    return {name: _value_reader(hint) for name, hint in typing.get_type_hints(kind).items()}


def _value_reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return _value_reader(
            next(argument for argument in arguments if argument is not types.NoneType)
        )
    if origin is tuple:
        each = _value_reader(arguments[0])
        return lambda value: tuple(each(part) for part in _require_list(value))
    if origin is not None:
        return lambda value: {str(key): str(part) for key, part in value.items()}
    if is_dataclass(hint):
        return lambda value: parse_record(hint, value)
    return _scalar_reader(hint)


def _scalar_reader(hint: Any) -> Callable[[Any], Any]:
    if hint is datetime:
        return _parse_timestamp
    if hint is Decimal:
        return _parse_decimal
    if issubclass(hint, StrEnum):
        return lambda value: _parse_word(hint, value)
    return lambda value: _require_type(hint, value)


def _require_list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise InvalidCanonicalRecord("A list was expected.")
    return value


def _parse_timestamp(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidCanonicalRecord(f"{value!r} is not a timestamp.") from error
    if at.tzinfo is None:
        raise InvalidCanonicalRecord(f"{value!r} has no time zone.")
    return at.astimezone(UTC)


def _parse_decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise InvalidCanonicalRecord(f"{value!r} is not a number.") from error


def _parse_word(words: type[StrEnum], value: Any) -> StrEnum:
    try:
        return words(value)
    except ValueError as error:
        raise InvalidCanonicalRecord(f"{value!r} is not one of {words.__name__}.") from error


def _require_type(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidCanonicalRecord(f"{value!r} is not {kind.__name__}.")
    return value

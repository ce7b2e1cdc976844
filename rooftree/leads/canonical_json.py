"""Dataclasses to sparse JSON and back: moments, percentages, word lists, nested records."""

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
    """The JSON is not a record of ours. The text names the field."""


def format_timestamp(at: datetime) -> str:
    """It is the RFC 3339 text of an aware moment, in UTC with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_json_number(amount: Decimal) -> int | float:
    """It is the JSON number of a percentage: whole numbers as int, else float."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def to_plain_json(value: Any) -> Any:
    """It is `value` as JSON knows it, without None and empty parts of records."""
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


def parse_record(kind: Any, found: Any) -> Any:
    """It is the record of type `kind` that `plain` would write as `found`."""
    if not isinstance(found, Mapping):
        raise InvalidCanonicalRecord(f"{kind.__name__} is not an object.")
    readers = _field_readers(kind)
    unknown = sorted(set(found) - set(readers))
    if unknown:
        raise InvalidCanonicalRecord(f"{kind.__name__} has no field {unknown[0]}.")
    given = {name: readers[name](part) for name, part in found.items() if part is not None}
    required = {
        field.name for field in fields(kind) if field.default is field.default_factory is MISSING
    }
    if required - set(given):
        raise InvalidCanonicalRecord(f"{kind.__name__} lacks {min(required - set(given))}.")
    return kind(**given)


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
        return lambda found: tuple(each(part) for part in _require_list(found))
    if origin is not None:
        return lambda found: {str(key): str(part) for key, part in found.items()}
    if is_dataclass(hint):
        return lambda found: parse_record(hint, found)
    return _scalar_reader(hint)


def _scalar_reader(hint: Any) -> Callable[[Any], Any]:
    if hint is datetime:
        return _parse_timestamp
    if hint is Decimal:
        return _parse_decimal
    if issubclass(hint, StrEnum):
        return lambda found: _parse_word(hint, found)
    return lambda found: _require_type(hint, found)


def _require_list(found: Any) -> Any:
    if not isinstance(found, list | tuple):
        raise InvalidCanonicalRecord("A list was expected.")
    return found


def _parse_timestamp(found: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(found))
    except ValueError as error:
        raise InvalidCanonicalRecord(f"{found!r} is not a moment.") from error
    if at.tzinfo is None:
        raise InvalidCanonicalRecord(f"{found!r} has no zone.")
    return at.astimezone(UTC)


def _parse_decimal(found: Any) -> Decimal:
    try:
        return Decimal(str(found))
    except InvalidOperation as error:
        raise InvalidCanonicalRecord(f"{found!r} is not a number.") from error


def _parse_word(words: type[StrEnum], found: Any) -> StrEnum:
    try:
        return words(found)
    except ValueError as error:
        raise InvalidCanonicalRecord(f"{found!r} is not one of {words.__name__}.") from error


def _require_type(kind: type, found: Any) -> Any:
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise InvalidCanonicalRecord(f"{found!r} is not {kind.__name__}.")
    return found

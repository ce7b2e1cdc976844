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


class NotCanonical(Exception):
    """The JSON is not a record of ours. The text names the field."""


def moment(at: datetime) -> str:
    """It is the RFC 3339 text of an aware moment, in UTC with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def number(amount: Decimal) -> int | float:
    """It is the JSON number of a percentage: whole numbers as int, else float."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def plain(value: Any) -> Any:
    """It is `value` as JSON knows it, without None and empty parts of records."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        return {name: part for name, part in named.items() if part not in (None, {}, [])}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return number(value)
    return value


def parsed(kind: Any, found: Any) -> Any:
    """It is the record of type `kind` that `plain` would write as `found`."""
    if not isinstance(found, Mapping):
        raise NotCanonical(f"{kind.__name__} is not an object.")
    readers = _readers(kind)
    unknown = sorted(set(found) - set(readers))
    if unknown:
        raise NotCanonical(f"{kind.__name__} has no field {unknown[0]}.")
    given = {name: readers[name](part) for name, part in found.items() if part is not None}
    required = {one.name for one in fields(kind) if one.default is one.default_factory is MISSING}
    if required - set(given):
        raise NotCanonical(f"{kind.__name__} lacks {min(required - set(given))}.")
    return kind(**given)


@cache
def _readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        return _reader(next(one for one in arguments if one is not types.NoneType))
    if origin is tuple:
        each = _reader(arguments[0])
        return lambda found: tuple(each(part) for part in _listed(found))
    if origin is not None:
        return lambda found: {str(key): str(part) for key, part in found.items()}
    if is_dataclass(hint):
        return lambda found: parsed(hint, found)
    return _scalar_reader(hint)


def _scalar_reader(hint: Any) -> Callable[[Any], Any]:
    if hint is datetime:
        return _moment_of
    if hint is Decimal:
        return _decimal_of
    if issubclass(hint, StrEnum):
        return lambda found: _word_of(hint, found)
    return lambda found: _typed(hint, found)


def _listed(found: Any) -> Any:
    if not isinstance(found, list | tuple):
        raise NotCanonical("A list was expected.")
    return found


def _moment_of(found: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(found))
    except ValueError as error:
        raise NotCanonical(f"{found!r} is not a moment.") from error
    if at.tzinfo is None:
        raise NotCanonical(f"{found!r} has no zone.")
    return at.astimezone(UTC)


def _decimal_of(found: Any) -> Decimal:
    try:
        return Decimal(str(found))
    except InvalidOperation as error:
        raise NotCanonical(f"{found!r} is not a number.") from error


def _word_of(words: type[StrEnum], found: Any) -> StrEnum:
    try:
        return words(found)
    except ValueError as error:
        raise NotCanonical(f"{found!r} is not one of {words.__name__}.") from error


def _typed(kind: type, found: Any) -> Any:
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise NotCanonical(f"{found!r} is not {kind.__name__}.")
    return found

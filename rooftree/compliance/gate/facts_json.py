"""Exact conversion of facts to JSON and back, and their hash."""

import hashlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from rooftree.compliance.gate.facts import Facts, Missing, Unknown

type Reader = Callable[[Any], Any]


class BadFactsJson(Exception):
    """A JSON value doesn't have the type of its fact."""


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Return the facts as plain JSON values; an unknown fact is left out."""
    return {
        field.name: _to_plain_json(value)
        for field in fields(facts)
        if not isinstance(value := getattr(facts, field.name), Unknown)
    }


def facts_from_json(data: Mapping[str, Any]) -> Facts:
    """Read facts from JSON. An absent or unreadable fact is UNKNOWN, never guessed."""
    values: dict[str, Any] = {}
    for field in fields(Facts):
        if field.name in data:
            read_value = _reader_for_type(_field_types(Facts)[field.name])
            try:
                values[field.name] = read_value(data[field.name])
            except (BadFactsJson, TypeError, ValueError, KeyError, AttributeError):
                continue
    return Facts(**values)


def facts_hash(facts: Facts) -> str:
    """Return the SHA-256 of the facts' canonical JSON, in hex."""
    return json_hash(facts_to_json(facts))


def json_hash(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a JSON object, written with sorted keys and no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _to_plain_json(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_plain_json(item) for item in value]
    if is_dataclass(value):
        return {field.name: _to_plain_json(getattr(value, field.name)) for field in fields(value)}
    return value


@cache
def _field_types(dataclass_type: type) -> dict[str, Any]:
    return typing.get_type_hints(dataclass_type)


@cache
def _reader_for_type(hint: Any) -> Reader:
    """Return the function that reads one JSON value as the type `hint`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _read_optional(hint)
    if typing.get_origin(hint) is tuple:
        inner = _reader_for_type(typing.get_args(hint)[0])
        return lambda value: tuple(inner(item) for item in _require_type(list, value))
    if hint in (datetime, date):
        return lambda value: hint.fromisoformat(_require_type(str, value))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        return lambda value: _read_dataclass(typing.cast(type, hint), value)
    if hint is float:
        return lambda value: float(_require_type((int, float), value))
    return lambda value: _require_type(hint, value)


def _read_optional(hint: Any) -> Reader:
    options = [option for option in typing.get_args(hint) if option not in (Missing, type(None))]
    reader = _reader_for_type(options[0])
    if type(None) in typing.get_args(hint):
        return lambda value: None if value is None else reader(value)
    return reader


def _read_dataclass(dataclass_type: type, value: Any) -> Any:
    data = _require_type(dict, value)
    hints = _field_types(dataclass_type)
    values = {}
    for field in fields(dataclass_type):
        if field.name in data:
            values[field.name] = _reader_for_type(hints[field.name])(data[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadFactsJson(field.name)
    return dataclass_type(**values)


def _require_type(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadFactsJson(f"{value!r} is not {kind}")
    return value

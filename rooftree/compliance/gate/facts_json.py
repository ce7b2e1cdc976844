"""Facts as JSON, exactly both ways, and their hash."""

import hashlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from rooftree.compliance.gate.facts import Facts, Missing, Unknown

type Reader = Callable[[Any], Any]


class BadFactsJson(Exception):
    """The JSON does not hold what a fact must hold."""


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """It is the facts as plain JSON values; an unknown fact is left out."""
    return {
        field.name: _to_plain_json(value)
        for field in fields(facts)
        if not isinstance(value := getattr(facts, field.name), Unknown)
    }


def facts_from_json(data: Mapping[str, Any]) -> Facts:
    """It is the facts again. What is absent or unreadable is UNKNOWN, never guessed."""
    found: dict[str, Any] = {}
    for field in fields(Facts):
        if field.name in data:
            try:
                found[field.name] = _reader_for_type(_field_types(Facts)[field.name])(
                    data[field.name]
                )
            except (BadFactsJson, TypeError, ValueError, KeyError, AttributeError):
                continue
    return Facts(**found)


def facts_hash(facts: Facts) -> str:
    """It is the SHA-256 of the canonical JSON, in hex."""
    return json_hash(facts_to_json(facts))


def json_hash(data: Mapping[str, Any]) -> str:
    """It is the SHA-256 of any JSON object with sorted keys and no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _to_plain_json(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_plain_json(one) for one in value]
    if is_dataclass(value):
        return {field.name: _to_plain_json(getattr(value, field.name)) for field in fields(value)}
    return value


@cache
def _field_types(of: type) -> dict[str, Any]:
    return typing.get_type_hints(of)


@cache
def _reader_for_type(hint: Any) -> Reader:
    """It is the function that reads one JSON value as the type that `hint` names."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _read_optional(hint)
    if typing.get_origin(hint) is tuple:
        inner = _reader_for_type(typing.get_args(hint)[0])
        return lambda value: tuple(inner(one) for one in _require_type(list, value))
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
    options = [
        get_argument
        for get_argument in typing.get_args(hint)
        if get_argument not in (Missing, type(None))
    ]
    reader = _reader_for_type(options[0])
    if type(None) in typing.get_args(hint):
        return lambda value: None if value is None else reader(value)
    return reader


def _read_dataclass(of: type, value: Any) -> Any:
    data = _require_type(dict, value)
    hints = _field_types(of)
    found = {}
    for field in fields(of):
        if field.name in data:
            found[field.name] = _reader_for_type(hints[field.name])(data[field.name])
        elif _is_required(field):
            raise BadFactsJson(field.name)
    return of(**found)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _require_type(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadFactsJson(f"{value!r} is not {kind}")
    return value

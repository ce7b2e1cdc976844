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

from rooftree.compliance.facts import Facts, Missing, Unknown

type Reader = Callable[[Any], Any]


class NotFacts(Exception):
    """The JSON does not hold what a fact must hold."""


def to_json(facts: Facts) -> dict[str, Any]:
    """It is the facts as plain JSON values; an unknown fact is left out."""
    return {
        one.name: _plain(value)
        for one in fields(facts)
        if not isinstance(value := getattr(facts, one.name), Unknown)
    }


def from_json(data: Mapping[str, Any]) -> Facts:
    """It is the facts again. What is absent or unreadable is UNKNOWN, never guessed."""
    found: dict[str, Any] = {}
    for one in fields(Facts):
        if one.name in data:
            try:
                found[one.name] = _reader(_hints(Facts)[one.name])(data[one.name])
            except (NotFacts, TypeError, ValueError, KeyError, AttributeError):
                continue
    return Facts(**found)


def facts_hash(facts: Facts) -> str:
    """It is the SHA-256 of the canonical JSON, in hex."""
    return json_hash(to_json(facts))


def json_hash(data: Mapping[str, Any]) -> str:
    """It is the SHA-256 of any JSON object with sorted keys and no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


@cache
def _hints(of: type) -> dict[str, Any]:
    return typing.get_type_hints(of)


@cache
def _reader(hint: Any) -> Reader:
    """It is the function that reads one JSON value as the type that `hint` names."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _either(hint)
    if typing.get_origin(hint) is tuple:
        inner = _reader(typing.get_args(hint)[0])
        return lambda value: tuple(inner(one) for one in _a(list, value))
    if hint in (datetime, date):
        return lambda value: hint.fromisoformat(_a(str, value))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        return lambda value: _record(typing.cast(type, hint), value)
    if hint is float:
        return lambda value: float(_a((int, float), value))
    return lambda value: _a(hint, value)


def _either(hint: Any) -> Reader:
    options = [one for one in typing.get_args(hint) if one not in (Missing, type(None))]
    reader = _reader(options[0])
    if type(None) in typing.get_args(hint):
        return lambda value: None if value is None else reader(value)
    return reader


def _record(of: type, value: Any) -> Any:
    data = _a(dict, value)
    hints = _hints(of)
    found = {}
    for one in fields(of):
        if one.name in data:
            found[one.name] = _reader(hints[one.name])(data[one.name])
        elif _is_needed(one):
            raise NotFacts(one.name)
    return of(**found)


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _a(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise NotFacts(f"{value!r} is not {kind}")
    return value

"""The rows of a lead's file as the database hands them over, each value by its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any, Self
from uuid import UUID


class _Row:
    """One row of the file as the database hands it over: moments, days and ids by their type."""

    __slots__ = ()

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        return cls(**{name: read(found[name]) for name, read in _readers(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_Row):
    """Something taken back; see `compliance.models.Revocation`."""

    kind: str
    address: str
    person_id: UUID | None
    media: list[str]
    origin: str
    reply_to_purpose: str
    at: datetime
    ended_at: datetime | None
    ended_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission(_Row):
    """A consent that was given."""

    address: str
    record: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(_Row):
    """One of our attempts to reach the person."""

    at: datetime
    medium: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(_Row):
    """One time that the lead asked."""

    at: datetime
    asked_on: date | None  # when they asked; None: an import that does not say
    source_id: UUID
    adapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(_Row):
    """Something in force from a day until another, exclusive."""

    from_date: date
    until_date: date | None

    def holds(self, day: date) -> bool:
        return self.from_date <= day and (self.until_date is None or self.until_date > day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Span):
    """Reviewed terms of a source, which say that its form names us."""

    source_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensed(Span):
    """A license of the company."""

    state: str
    number: str
    license: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(_Row):
    """What one do-not-contact list, as held, says of a number; see `compliance.models.DncArea`."""

    number: str
    registry: str
    dated: date
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(_Row):
    """What was answered when we asked whether a number changed hands after a day."""

    number: str
    since: date
    response: str
    answered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(_Row):
    """The last time that they spoke with us, or wrote to us, on a number."""

    number: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing(_Row):
    """A loan of theirs with us was applied for, or funded."""

    code: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed(_Row):
    """A call that they asked for at a time, and who approved of its hour since."""

    due_at: datetime
    asked_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The last thing the person wrote to us, and what we took it to mean."""

    created_at: datetime
    medium: str
    problem: str


@cache
def _readers(row: type[_Row]) -> list[tuple[str, Callable[[Any], Any]]]:
    """How each value of a row is read, as its type says; None stays None."""
    return [(one.name, _READ.get(one.type, _as_it_is)) for one in fields(row)]  # type: ignore[arg-type]


def _as_it_is(value: Any) -> Any:
    return value


def _or_none(read: Callable[[str], Any]) -> Callable[[str | None], Any]:
    return lambda value: None if value is None else read(value)


_READ: dict[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    datetime | None: _or_none(datetime.fromisoformat),
    date: date.fromisoformat,
    date | None: _or_none(date.fromisoformat),
    UUID: UUID,
    UUID | None: _or_none(UUID),
}

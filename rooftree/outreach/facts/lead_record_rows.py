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
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        return cls(**{name: read(found[name]) for name, read in _readers_for(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevocation(_Row):
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
class StoredConsent(_Row):
    """A consent that was given."""

    address: str
    record: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt(_Row):
    """One of our attempts to reach the person."""

    at: datetime
    medium: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTouch(_Row):
    """One time that the lead asked."""

    at: datetime
    asked_on: date | None  # when they asked; None: an import that does not say
    source_id: UUID
    adapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan(_Row):
    """Something in force from a day until another, exclusive."""

    from_date: date
    until_date: date | None

    def covers(self, day: date) -> bool:
        return self.from_date <= day and (self.until_date is None or self.until_date > day)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTermsSpan(DateSpan):
    """Reviewed terms of a source, which say that its form names us."""

    source_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLicense(DateSpan):
    """A license of the company."""

    state: str
    number: str
    license: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DncListing(_Row):
    """What one do-not-contact list, as held, says of a number; see `compliance.models.DncArea`."""

    number: str
    registry: str
    dated: date
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAnswer(_Row):
    """What was answered when we asked whether a number changed hands after a day."""

    number: str
    since: date
    response: str
    answered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberConfirmation(_Row):
    """The last time that they spoke with us, or wrote to us, on a number."""

    number: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanEvent(_Row):
    """A loan of theirs with us was applied for, or funded."""

    code: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCallback(_Row):
    """A call that they asked for at a time, and who approved of its hour since."""

    due_at: datetime
    asked_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastInbound:
    """The last thing the person wrote to us, and what we took it to mean."""

    created_at: datetime
    medium: str
    problem: str


@cache
def _readers_for(row: type[_Row]) -> list[tuple[str, Callable[[Any], Any]]]:
    """How each value of a row is read, as its type says; None stays None."""
    return [
        (field.name, _READERS_BY_TYPE.get(field.type, _read_unchanged))
        for field in fields(row)  # type: ignore[arg-type]
    ]


def _read_unchanged(value: Any) -> Any:
    return value


def _optional_reader(read: Callable[[str], Any]) -> Callable[[str | None], Any]:
    return lambda value: None if value is None else read(value)


_READERS_BY_TYPE: dict[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    datetime | None: _optional_reader(datetime.fromisoformat),
    date: date.fromisoformat,
    date | None: _optional_reader(date.fromisoformat),
    UUID: UUID,
    UUID | None: _optional_reader(UUID),
}

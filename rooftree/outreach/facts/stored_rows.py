"""The typed rows that `lead_records` parses from the database's JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any, Self
from uuid import UUID


class _Row:
    """One row parsed from JSON: times, dates and ids have their Python type."""

    __slots__ = ()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{name: read(row[name]) for name, read in _readers_for(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevocation(_Row):
    """One revocation; see `compliance.models.Revocation`."""

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
    """One consent that was granted."""

    address: str
    record: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt(_Row):
    """One attempt of ours to contact the person."""

    at: datetime
    medium: str
    idempotency_key: str
    is_automated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTouch(_Row):
    """One inquiry of the lead."""

    at: datetime
    asked_on: date | None  # date of the inquiry; None for an import without one
    source_id: UUID
    adapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan(_Row):
    """A row in force from one date until another, exclusive."""

    from_date: date
    until_date: date | None

    def covers(self, day: date) -> bool:
        """Return True if the row is in force on `day`."""
        return self.from_date <= day and (self.until_date is None or self.until_date > day)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTermsSpan(DateSpan):
    """Reviewed terms of a source that say its form names us."""

    source_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLicense(DateSpan):
    """One license of the company."""

    state: str
    number: str
    license: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DncListing(_Row):
    """The entry for a number in one loaded do-not-call list; see `compliance.models.DncArea`."""

    number: str
    registry: str
    dated: date
    is_listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAnswer(_Row):
    """The answer to whether a number was reassigned after a date."""

    number: str
    since: date
    response: str
    answered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberConfirmation(_Row):
    """The last time they spoke with us or wrote to us on a number."""

    number: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanEvent(_Row):
    """One application to us, or one loan funded by us."""

    code: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFile(_Row):
    """One loan file of the lead, as the LOS has it."""

    rank: int
    application_date: date | None
    funded_date: date | None
    final_outcome: str
    current_milestone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOverride(_Row):
    """One override of house limits; see `outreach.models.LimitOverride`."""

    medium: str
    limits: list[str]
    reason: str
    by: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCallback(_Row):
    """One callback the borrower asked for, and who has approved its hour since."""

    due_at: datetime
    asked_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastInbound:
    """The last message from the person, and how it was classified."""

    created_at: datetime
    medium: str
    problem: str


@cache
def _readers_for(row: type[_Row]) -> list[tuple[str, Callable[[Any], Any]]]:
    """Return the parser of each field by its annotated type; None stays None."""
    return [
        (field.name, _READERS_BY_TYPE.get(field.type, lambda value: value))
        for field in fields(row)  # type: ignore[arg-type]
    ]


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

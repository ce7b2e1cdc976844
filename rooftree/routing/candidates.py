"""What routing knows of each loan officer, and whether the law lets one have a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rooftree.org.hours import local_date

APPROVED = "approved"  # the NMLS word, lower-cased; "Approved - Inactive" is not it
DEPOSITORY = "depository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A license in one state, of an officer or of the company; `until_date` is exclusive."""

    state: str
    from_date: date
    until_date: date | None = None
    status: str = "Approved"

    def in_force(self, day: date) -> bool:
        """True on a day inside its dates, while NMLS shows it as Approved."""
        return (
            self.status.lower() == APPROVED
            and self.from_date <= day
            and (self.until_date is None or day < self.until_date)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """The company as the licensing rule sees it."""

    kind: str
    permits: tuple[Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One loan officer as known at the moment of a choice."""

    id: str
    name: str
    branch_path: str
    nmls_id: str
    zone: str
    hours: Mapping[str, Sequence[str]]
    languages: tuple[str, ...] = ()
    products: tuple[str, ...] = ()  # empty: all
    permits: tuple[Permit, ...] = ()
    sponsored_from_date: date
    terminated_at: datetime | None = None
    paused_at: datetime | None = None
    today: int = 0  # leads got this local day, with those offered and not answered
    daily_cap: int = 20
    open: int = 0  # leads had and not yet reached
    open_cap: int = 60


def entitlement_problem(
    candidate: Candidate, *, lender: Lender, state: str, at: datetime
) -> tuple[str, str] | None:
    """Why the law keeps this officer from a lead, as (code, words); None when nothing does.

    Args:
        state: of the property, USPS code; "" when unknown: then only employment counts.

    Source of rule: LIC-01 (12 USC 5103; 12 CFR 1007, 1008). A depository's
    officers are registered with NMLS and need no state license (12 CFR 1007.102).
    """
    day = local_date(candidate.zone, at)
    if candidate.terminated_at and candidate.terminated_at <= at:
        return "terminated", "No longer works here"
    if candidate.sponsored_from_date > day:
        return "not_sponsored", f"Not sponsored until {_said(candidate.sponsored_from_date)}"
    if not state:
        return None
    if lender.kind == DEPOSITORY:
        return None if candidate.nmls_id else ("not_registered", "Not registered with NMLS")
    if not any(permit.state == state and permit.in_force(day) for permit in lender.permits):
        return "company_unlicensed", f"The company is not licensed in {state}"
    return _license_problem(candidate.permits, state, day)


def _license_problem(permits: tuple[Permit, ...], state: str, day: date) -> tuple[str, str] | None:
    here = [permit for permit in permits if permit.state == state]
    if any(permit.in_force(day) for permit in here):
        return None
    if not here:
        return "unlicensed", f"Not licensed in {state}"
    last = max(here, key=lambda permit: permit.from_date)
    if last.status.lower() != APPROVED:
        return "license_inactive", f"License in {state} is {last.status}"
    if last.from_date > day:
        return "license_not_yet", f"License in {state} begins {_said(last.from_date)}"
    return "license_expired", f"License in {state} ended {_said(last.until_date or day)}"


def _said(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def permit_to_json(permit: Permit) -> list[Any]:
    """A permit as stored with a decision."""
    until = permit.until_date.isoformat() if permit.until_date else None
    return [permit.state, permit.from_date.isoformat(), until, permit.status]


def permit_from_json(row: Sequence[Any]) -> Permit:
    """A permit as it was stored, or as the database hands it over."""
    state, from_date, until_date, status = row
    return Permit(
        state=state,
        from_date=date.fromisoformat(from_date),
        until_date=date.fromisoformat(until_date) if until_date else None,
        status=status,
    )


def to_json(candidate: Candidate) -> list[Any]:
    """A candidate as stored with a decision: a row, in the order of `from_json`."""
    c = candidate
    return [
        c.id, c.name, c.branch_path, c.nmls_id, c.zone, dict(c.hours), list(c.languages),
        list(c.products), [permit_to_json(permit) for permit in c.permits],
        c.sponsored_from_date.isoformat(), _moment(c.terminated_at), _moment(c.paused_at),
        c.today, c.daily_cap, c.open, c.open_cap,
    ]  # fmt: skip


def from_json(row: Sequence[Any]) -> Candidate:
    """A candidate as it was stored, or as the database hands it over."""
    return Candidate(
        id=row[0],
        name=row[1],
        branch_path=row[2],
        nmls_id=row[3],
        zone=row[4],
        hours=row[5],
        languages=tuple(row[6]),
        products=tuple(row[7]),
        permits=tuple(permit_from_json(permit) for permit in row[8]),
        sponsored_from_date=date.fromisoformat(row[9]),
        terminated_at=datetime.fromisoformat(row[10]) if row[10] else None,
        paused_at=datetime.fromisoformat(row[11]) if row[11] else None,
        today=row[12],
        daily_cap=row[13],
        open=row[14],
        open_cap=row[15],
    )


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None

"""The facts routing knows about each loan officer, and the licensing rule for a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rooftree.org import models
from rooftree.org.working_hours import local_date

# NMLS status words in lower case; "Approved - Inactive" is not among them.
AUTHORIZING_STATUSES = frozenset(status.lower() for status in models.AUTHORIZING_STATUSES)
DEPOSITORY = "depository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A license in one state, of an officer or of the company; `until_date` is exclusive."""

    state: str
    from_date: date
    until_date: date | None = None
    status: str = "Approved"

    def is_in_force(self, day: date) -> bool:
        """Return True if `day` is inside its dates and the NMLS status authorizes originating."""
        return (
            self.status.lower() in AUTHORIZING_STATUSES
            and self.from_date <= day
            and (self.until_date is None or day < self.until_date)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """The company's kind and licenses, for the licensing rule."""

    kind: str
    permits: tuple[Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One loan officer as known when a choice is made."""

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
    today: int = 0  # leads received this local day, including unanswered offers
    daily_cap: int = 20
    open: int = 0  # leads owned or offered, borrower not yet reached
    open_cap: int = 60
    # Shared by officers of one roster who differ only in name, id and current load.
    kind: int | None = field(default=None, compare=False, repr=False)


def entitlement_problem(
    candidate: Candidate, *, lender: Lender, state: str, at: datetime
) -> tuple[str, str] | None:
    """Return why the law keeps this officer from a lead, as (code, text), or None.

    Args:
        state: of the property, USPS code; "" when unknown, and then only employment counts.

    Source of rule: LIC-01 (12 USC 5103; 12 CFR 1007, 1008). A depository's
    officers are registered with NMLS and need no state license (12 CFR 1007.102).
    """
    day = local_date(candidate.zone, at)
    if candidate.terminated_at and candidate.terminated_at <= at:
        return "terminated", "No longer works here"
    if candidate.sponsored_from_date > day:
        return "not_sponsored", f"Not sponsored until {_format_date(candidate.sponsored_from_date)}"
    if not state:
        return None
    if lender.kind == DEPOSITORY:
        return None if candidate.nmls_id else ("not_registered", "Not registered with NMLS")
    if not any(permit.state == state and permit.is_in_force(day) for permit in lender.permits):
        return "company_unlicensed", f"The company is not licensed in {state}"
    return _license_problem(candidate.permits, state, day)


def _license_problem(permits: tuple[Permit, ...], state: str, day: date) -> tuple[str, str] | None:
    here = [permit for permit in permits if permit.state == state]
    if any(permit.is_in_force(day) for permit in here):
        return None
    if not here:
        return "unlicensed", f"Not licensed in {state}"
    last = max(here, key=lambda permit: permit.from_date)
    if last.status.lower() not in AUTHORIZING_STATUSES:
        return "license_inactive", f"License in {state} is {last.status}"
    if last.from_date > day:
        return "license_not_yet", f"License in {state} begins {_format_date(last.from_date)}"
    return "license_expired", f"License in {state} ended {_format_date(last.until_date or day)}"


def _format_date(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def permit_to_json(permit: Permit) -> list[Any]:
    """Return a permit as a decision stores it."""
    until = permit.until_date.isoformat() if permit.until_date else None
    return [permit.state, permit.from_date.isoformat(), until, permit.status]


def permit_from_json(row: Sequence[Any]) -> Permit:
    """Build a permit from its stored form, which the roster query returns as well."""
    state, from_date, until_date, status = row
    return Permit(
        state=state,
        from_date=date.fromisoformat(from_date),
        until_date=date.fromisoformat(until_date) if until_date else None,
        status=status,
    )


def lender_from_json(stored: Mapping[str, Any] | None) -> Lender:
    """Build the company from its stored form, which the roster query returns as well."""
    if not stored:
        return Lender(kind="nonbank")
    permits = tuple(permit_from_json(row) for row in stored["permits"])
    return Lender(kind=stored["kind"], permits=permits)


def with_current_load(c: Candidate, today: int, in_hand: int, paused_at: str | None) -> Candidate:
    """Copy an officer with their current load; kept fast, as one choice makes thousands."""
    return Candidate(
        id=c.id,
        name=c.name,
        branch_path=c.branch_path,
        nmls_id=c.nmls_id,
        zone=c.zone,
        hours=c.hours,
        languages=c.languages,
        products=c.products,
        permits=c.permits,
        sponsored_from_date=c.sponsored_from_date,
        terminated_at=c.terminated_at,
        paused_at=datetime.fromisoformat(paused_at) if paused_at else None,
        today=today,
        daily_cap=c.daily_cap,
        open=in_hand,
        open_cap=c.open_cap,
        kind=c.kind,
    )


def candidates_to_json(people: Sequence[Candidate]) -> dict[str, Any]:
    """Return candidates as a decision stores them, with shared attributes stored once."""
    shapes: dict[tuple[Any, ...], int] = {}
    rows = []
    for c in people:
        # By identity: candidates read together share equal parts; a duplicate shape does no harm.
        shape = (c.branch_path, c.zone, id(c.hours), c.languages, c.products, id(c.permits),
                 c.sponsored_from_date, c.daily_cap, c.open_cap)  # fmt: skip
        rows.append([
            c.id, c.name, c.nmls_id, shapes.setdefault(shape, len(shapes)),
            c.today, c.open, _to_iso(c.terminated_at), _to_iso(c.paused_at),
        ])  # fmt: skip
    first = {row[3]: c for row, c in zip(reversed(rows), reversed(people), strict=True)}
    return {
        "shapes": [_shape_to_json(first[nth]) for nth in range(len(shapes))],
        "candidates": rows,
    }


def candidates_from_json(stored: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """Build candidates from their stored form, which the roster query returns as well."""
    shapes = [_shape_from_json(shape) for shape in stored["shapes"]]
    kinds: dict[tuple[Any, ...], int] = {}
    return tuple(
        Candidate(
            id=row[0],
            name=row[1],
            nmls_id=row[2],
            today=row[4],
            open=row[5],
            terminated_at=datetime.fromisoformat(row[6]) if row[6] else None,
            paused_at=datetime.fromisoformat(row[7]) if row[7] else None,
            kind=kinds.setdefault((row[3], row[6], bool(row[2])), len(kinds)),
            **shapes[row[3]],
        )
        for row in stored["candidates"]
    )


def _shape_to_json(c: Candidate) -> list[Any]:
    return [
        c.branch_path, c.zone, dict(c.hours), list(c.languages), list(c.products),
        [permit_to_json(permit) for permit in c.permits], c.sponsored_from_date.isoformat(),
        c.daily_cap, c.open_cap,
    ]  # fmt: skip


def _shape_from_json(shape: Sequence[Any]) -> dict[str, Any]:
    return {
        "branch_path": shape[0],
        "zone": shape[1],
        "hours": shape[2],
        "languages": tuple(shape[3]),
        "products": tuple(shape[4]),
        "permits": tuple(permit_from_json(permit) for permit in shape[5]),
        "sponsored_from_date": date.fromisoformat(shape[6]),
        "daily_cap": shape[7],
        "open_cap": shape[8],
    }


def _to_iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None

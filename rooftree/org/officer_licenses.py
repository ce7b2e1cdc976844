"""State licenses of loan officers: add, correct, renew and end them.

The database ends, in the same transaction, any ownership a change makes unlawful (LIC-01).
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.core.us_states import STATES
from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.db.prepared_queries import PreparedQuery, prefetch_rows
from rooftree.ledger.write_events import write_event
from rooftree.org.models import (
    TEMPORARY_AUTHORITY,
    TEMPORARY_AUTHORITY_LIMIT,
    License,
    LoanOfficer,
    User,
)

LICENSES_QUERY = PreparedQuery(
    lambda owners: License.objects.filter(officer__in=owners), owners=list[UUID]
)
EDITABLE_FIELDS = ("number", "status", "from_date", "until_date")


class InvalidLicense(UserError):
    """A license's details are invalid."""


def prefetch_licenses(officers: Iterable[LoanOfficer | None]) -> None:
    """Load the licenses of officers like `prefetch_related`, with a prepared query."""
    prefetch_rows([officer for officer in officers if officer], "licenses", LICENSES_QUERY)


def add_license(
    *, officer_id: UUID | str, state: str, number: str, dates: tuple[date, date | None],
    by: User, at: datetime,
) -> License:  # fmt: skip
    """Record a state license as NMLS shows it: Approved.

    Args:
        state: USPS code.
        dates: the first day, and the first day without it (None: no end).

    Raises `InvalidLicense`, also when the dates overlap another license in the state.
    """
    from_date, until_date = dates
    _check_license(state, number, from_date, until_date)
    with atomic():
        overlapping = License.objects.filter(
            Q(until_date=None) | Q(until_date__gt=from_date),
            officer_id=UUID(str(officer_id)),
            state=state,
        )
        if until_date:
            overlapping = overlapping.filter(from_date__lt=until_date)
        if overlapping.exists():
            raise InvalidLicense(
                f"There is already a license in {state} for these dates. Edit that license."
            )
        license_row = License.objects.create(
            id=uuid7_at(at),
            officer_id=officer_id,
            state=state,
            number=number.strip(),
            from_date=from_date,
            until_date=until_date,
        )
        _record_event("org.license.added", license_row, by=by, at=at)
    return license_row


def edit_license(*, license_id: UUID | str, by: User, at: datetime, **changes: Any) -> License:
    """Correct a license's number, NMLS status or dates. Raises `InvalidLicense`."""
    unknown = changes.keys() - set(EDITABLE_FIELDS)
    if unknown:
        raise InvalidLicense(f"You can't change {', '.join(sorted(unknown))} of a license.")
    with atomic():
        trigger_clock.set_trigger_time(at)
        license_row = License.objects.select_for_update().get(pk=license_id)
        for name, value in changes.items():
            setattr(license_row, name, value)
        _check_license(
            license_row.state, license_row.number, license_row.from_date, license_row.until_date
        )
        _check_temporary_authority(license_row)
        License.objects.filter(pk=license_row.pk).update(**changes)
        _record_event("org.license.changed", license_row, by=by, at=at)
    return license_row


def renew_license(
    *, license_id: UUID | str, until_date: date | None, by: User, at: datetime
) -> License:
    """Extend a license to the first day without it (None: no end).

    Raises `InvalidLicense` when that isn't later than its present end.
    """
    license_row = License.objects.get(pk=license_id)
    if until_date and (license_row.until_date is None or until_date <= license_row.until_date):
        raise InvalidLicense(
            "A renewal must end later than the license. To shorten a license, edit it."
        )
    return edit_license(license_id=license_id, until_date=until_date, by=by, at=at)


def _check_license(state: str, number: str, from_date: date, until_date: date | None) -> None:
    if state not in STATES:
        raise InvalidLicense(f"{state} is not a state. Use its two-letter code, such as TX.")
    if not number.strip():
        raise InvalidLicense("Enter the license number.")
    if until_date and until_date <= from_date:
        raise InvalidLicense("The end date must be after the start date.")


def _check_temporary_authority(license_row: License) -> None:
    """Require that temporary authority ends on its own, within its limit (12 USC 5117(d))."""
    latest_end = license_row.from_date + TEMPORARY_AUTHORITY_LIMIT
    if license_row.status == TEMPORARY_AUTHORITY and (
        license_row.until_date is None or license_row.until_date > latest_end
    ):
        raise InvalidLicense(
            f"Temporary authority lasts {TEMPORARY_AUTHORITY_LIMIT.days} days at most. Its last "
            f"day must be {latest_end - timedelta(days=1):%b %d, %Y} or earlier."
        )


def _record_event(kind: str, license_row: License, *, by: User, at: datetime) -> None:
    write_event(
        kind,
        at=at,
        actor=f"user:{by.pk}",
        license_id=license_row.pk,
        officer_id=license_row.officer_id,
        state=license_row.state,
        status=license_row.status,
        from_date=license_row.from_date.isoformat(),
        until_date=license_row.until_date.isoformat() if license_row.until_date else None,
    )

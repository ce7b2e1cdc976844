"""State licenses of loan officers: added, corrected, renewed, ended.

The database ends, in the same transaction, what a change makes unlawful (LIC-01).
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.core.us_states import STATES
from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.ledger.write_events import write_event
from rooftree.org.models import TEMPORARY_AUTHORITY, TEMPORARY_AUTHORITY_LIMIT, License, User

EDITABLE_FIELDS = ("number", "status", "from_date", "until_date")


class InvalidLicense(UserError):
    """A license that cannot be so."""


def add_license(
    *, officer_id: UUID | str, state: str, number: str, dates: tuple[date, date | None],
    by: User, at: datetime,
) -> License:  # fmt: skip
    """Record a state license as NMLS shows it: Approved.

    Args:
        state: USPS code.
        dates: the first day, and the first day without it (None: no end).

    Raises `BadLicense`, also when the days overlap another license there.
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
                f"There is a license in {state} for these days already; edit that one."
            )
        made = License.objects.create(
            id=uuid7_at(at),
            officer_id=officer_id,
            state=state,
            number=number.strip(),
            from_date=from_date,
            until_date=until_date,
        )
        _record_event("org.license.added", made, by=by, at=at)
    return made


def edit_license(*, license_id: UUID | str, by: User, at: datetime, **changes: Any) -> License:
    """Correct a license: its number, NMLS status or dates. Raises `BadLicense`."""
    unknown = changes.keys() - set(EDITABLE_FIELDS)
    if unknown:
        raise InvalidLicense(f"{', '.join(sorted(unknown))} of a license cannot be changed.")
    with atomic():
        trigger_clock.set_trigger_time(at)
        held = License.objects.select_for_update().get(pk=license_id)
        for name, value in changes.items():
            setattr(held, name, value)
        _check_license(held.state, held.number, held.from_date, held.until_date)
        _check_temporary_authority(held)
        License.objects.filter(pk=held.pk).update(**changes)
        _record_event("org.license.changed", held, by=by, at=at)
    return held


def renew_license(
    *, license_id: UUID | str, until_date: date | None, by: User, at: datetime
) -> License:
    """Let a license run longer, to the first day without it (None: no end).

    Raises `BadLicense` when that is not later than it ran already.
    """
    held = License.objects.get(pk=license_id)
    if until_date and (held.until_date is None or until_date <= held.until_date):
        raise InvalidLicense("A renewal ends later than the license did. To shorten it, edit it.")
    return edit_license(license_id=license_id, until_date=until_date, by=by, at=at)


def _check_license(state: str, number: str, from_date: date, until_date: date | None) -> None:
    if state not in STATES:
        raise InvalidLicense(f"{state} is not a state; use its two letters, as TX.")
    if not number.strip():
        raise InvalidLicense("Give the number of the license.")
    if until_date and until_date <= from_date:
        raise InvalidLicense("A license ends after it begins.")


def _check_temporary_authority(held: License) -> None:
    """It ends by itself, so that nobody is forgotten under it (12 USC 5117(d))."""
    longest = held.from_date + TEMPORARY_AUTHORITY_LIMIT
    if held.status == TEMPORARY_AUTHORITY and (
        held.until_date is None or held.until_date > longest
    ):
        raise InvalidLicense(
            f"Temporary authority lasts {TEMPORARY_AUTHORITY_LIMIT.days} days at most: its last "
            f"day is {longest - timedelta(days=1):%b %d, %Y} or before."
        )


def _record_event(kind: str, held: License, *, by: User, at: datetime) -> None:
    write_event(
        kind,
        at=at,
        actor=f"user:{by.pk}",
        license_id=held.pk,
        officer_id=held.officer_id,
        state=held.state,
        status=held.status,
        from_date=held.from_date.isoformat(),
        until_date=held.until_date.isoformat() if held.until_date else None,
    )

"""The company's own state licenses: added, corrected, ended."""

from datetime import date, datetime
from uuid import UUID

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.core.us_states import STATES
from rooftree.core.uuid7 import uuid7_at
from rooftree.db import trigger_clock
from rooftree.ledger.write_events import write_event
from rooftree.org.models import CompanyLicense, User
from rooftree.org.officer_licenses import InvalidLicense

LicenseDates = tuple[date, date | None]  # the first day, and the first day without it


def add_company_license(
    *, state: str, number: str, dates: LicenseDates, by: User, at: datetime, license: str = ""
) -> CompanyLicense:
    """Record that the company may lend in a state. Raises `BadLicense`."""
    _check_license(state, number, dates)
    with atomic():
        _check_overlap(state, dates, but=None)
        made = CompanyLicense.objects.create(
            id=uuid7_at(at),
            state=state,
            number=number.strip(),
            license=license,
            from_date=dates[0],
            until_date=dates[1],
        )
        _record_event("org.company_license.added", made, by, at)
    return made


def edit_company_license(
    *,
    license_id: UUID | str,
    number: str,
    dates: LicenseDates,
    by: User,
    at: datetime,
    license: str | None = None,
) -> CompanyLicense:
    """Correct or end a license of the company; `license` None leaves it. Raises `BadLicense`.

    What becomes unlawful by it is ended by the database in the same transaction.
    """
    with atomic():
        trigger_clock.set_trigger_time(at)
        held = CompanyLicense.objects.select_for_update().get(pk=license_id)
        _check_license(held.state, number, dates)
        _check_overlap(held.state, dates, but=held)
        held.number, (held.from_date, held.until_date) = number.strip(), dates
        held.license = held.license if license is None else license
        CompanyLicense.objects.filter(pk=held.pk).update(
            number=held.number,
            license=held.license,
            from_date=held.from_date,
            until_date=held.until_date,
        )
        _record_event("org.company_license.changed", held, by, at)
    return held


def _check_license(state: str, number: str, dates: LicenseDates) -> None:
    if state not in STATES:
        raise InvalidLicense(f"{state} is not a state; use its two letters, as TX.")
    if not number.strip():
        raise InvalidLicense("Give the number of the license.")
    if dates[1] and dates[1] <= dates[0]:
        raise InvalidLicense("A license ends after it begins.")


def _check_overlap(state: str, dates: LicenseDates, *, but: CompanyLicense | None) -> None:
    others = CompanyLicense.objects.filter(Q(until_date=None) | Q(until_date__gt=dates[0]))
    others = others.filter(state=state)
    if dates[1]:
        others = others.filter(from_date__lt=dates[1])
    if but:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise InvalidLicense(
            f"There is a license in {state} for these days already; edit that one."
        )


def _record_event(kind: str, held: CompanyLicense, by: User, at: datetime) -> None:
    write_event(
        kind,
        at=at,
        actor=f"user:{by.pk}",
        license_id=held.pk,
        state=held.state,
        license=held.license,
        from_date=held.from_date.isoformat(),
        until_date=held.until_date.isoformat() if held.until_date else None,
    )

"""The company's own state licenses: add, correct and end them."""

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
    """Record that the company can lend in a state. Raises `InvalidLicense`."""
    _check_license(state, number, dates)
    with atomic():
        _check_overlap(state, dates, except_license=None)
        license_row = CompanyLicense.objects.create(
            id=uuid7_at(at),
            state=state,
            number=number.strip(),
            license=license,
            from_date=dates[0],
            until_date=dates[1],
        )
        _record_event("org.company_license.added", license_row, by, at)
    return license_row


def edit_company_license(
    *,
    license_id: UUID | str,
    number: str,
    dates: LicenseDates,
    by: User,
    at: datetime,
    license: str | None = None,
) -> CompanyLicense:
    """Correct or end a company license. Raises `InvalidLicense`.

    The database ends, in the same transaction, any ownership the change makes unlawful.

    Args:
        license: which of the state's licenses; None leaves it unchanged.
    """
    with atomic():
        trigger_clock.set_trigger_time(at)
        license_row = CompanyLicense.objects.select_for_update().get(pk=license_id)
        _check_license(license_row.state, number, dates)
        _check_overlap(license_row.state, dates, except_license=license_row)
        license_row.number, (license_row.from_date, license_row.until_date) = number.strip(), dates
        license_row.license = license_row.license if license is None else license
        CompanyLicense.objects.filter(pk=license_row.pk).update(
            number=license_row.number,
            license=license_row.license,
            from_date=license_row.from_date,
            until_date=license_row.until_date,
        )
        _record_event("org.company_license.changed", license_row, by, at)
    return license_row


def _check_license(state: str, number: str, dates: LicenseDates) -> None:
    if state not in STATES:
        raise InvalidLicense(f"{state} is not a state. Use its two-letter code, such as TX.")
    if not number.strip():
        raise InvalidLicense("Enter the license number.")
    if dates[1] and dates[1] <= dates[0]:
        raise InvalidLicense("The end date must be after the start date.")


def _check_overlap(
    state: str, dates: LicenseDates, *, except_license: CompanyLicense | None
) -> None:
    others = CompanyLicense.objects.filter(Q(until_date=None) | Q(until_date__gt=dates[0]))
    others = others.filter(state=state)
    if dates[1]:
        others = others.filter(from_date__lt=dates[1])
    if except_license:
        others = others.exclude(pk=except_license.pk)
    if others.exists():
        raise InvalidLicense(
            f"There is already a license in {state} for these dates. Edit that license."
        )


def _record_event(kind: str, license_row: CompanyLicense, by: User, at: datetime) -> None:
    write_event(
        kind,
        at=at,
        actor=f"user:{by.pk}",
        license_id=license_row.pk,
        state=license_row.state,
        license=license_row.license,
        from_date=license_row.from_date.isoformat(),
        until_date=license_row.until_date.isoformat() if license_row.until_date else None,
    )

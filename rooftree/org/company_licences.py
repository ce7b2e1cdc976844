"""The company's own state licenses: added, corrected, ended."""

from datetime import date, datetime
from uuid import UUID

from django.db.models import Q
from django.db.transaction import atomic

from rooftree.core.states import STATES
from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org import moment
from rooftree.org.licences import BadLicense
from rooftree.org.models import CompanyLicense, User

Dates = tuple[date, date | None]  # the first day, and the first day without it


def add(
    *, state: str, number: str, dates: Dates, by: User, at: datetime, license: str = ""
) -> CompanyLicense:
    """Record that the company may lend in a state. Raises `BadLicense`."""
    _check(state, number, dates)
    with atomic():
        _refuse_overlap(state, dates, but=None)
        made = CompanyLicense.objects.create(
            id=uuid7_at(at),
            state=state,
            number=number.strip(),
            license=license,
            from_date=dates[0],
            until_date=dates[1],
        )
        _write("org.company_license.added", made, by, at)
    return made


def edit(
    *,
    license_id: UUID | str,
    number: str,
    dates: Dates,
    by: User,
    at: datetime,
    license: str | None = None,
) -> CompanyLicense:
    """Correct or end a license of the company; `license` None leaves it. Raises `BadLicense`.

    What becomes unlawful by it is ended by the database in the same transaction.
    """
    with atomic():
        moment.say(at)
        held = CompanyLicense.objects.select_for_update().get(pk=license_id)
        _check(held.state, number, dates)
        _refuse_overlap(held.state, dates, but=held)
        held.number, (held.from_date, held.until_date) = number.strip(), dates
        held.license = held.license if license is None else license
        CompanyLicense.objects.filter(pk=held.pk).update(
            number=held.number,
            license=held.license,
            from_date=held.from_date,
            until_date=held.until_date,
        )
        _write("org.company_license.changed", held, by, at)
    return held


def _check(state: str, number: str, dates: Dates) -> None:
    if state not in STATES:
        raise BadLicense(f"{state} is not a state; use its two letters, as TX.")
    if not number.strip():
        raise BadLicense("Give the number of the license.")
    if dates[1] and dates[1] <= dates[0]:
        raise BadLicense("A license ends after it begins.")


def _refuse_overlap(state: str, dates: Dates, *, but: CompanyLicense | None) -> None:
    others = CompanyLicense.objects.filter(Q(until_date=None) | Q(until_date__gt=dates[0]))
    others = others.filter(state=state)
    if dates[1]:
        others = others.filter(from_date__lt=dates[1])
    if but:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise BadLicense(f"There is a license in {state} for these days already; edit that one.")


def _write(kind: str, held: CompanyLicense, by: User, at: datetime) -> None:
    write(
        kind,
        at=at,
        actor=f"user:{by.pk}",
        license_id=held.pk,
        state=held.state,
        license=held.license,
        from_date=held.from_date.isoformat(),
        until_date=held.until_date.isoformat() if held.until_date else None,
    )

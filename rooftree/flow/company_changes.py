"""The company's licenses and facts as they are entered, and what waited for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance.gate import license_wording
from rooftree.core.us_states import STATES
from rooftree.org import company_licenses, company_profile
from rooftree.org.company_licenses import LicenseDates
from rooftree.org.models import Company, CompanyLicense, User
from rooftree.org.officer_licenses import InvalidLicense
from rooftree.outreach.messages import redecide_held_messages


def add_license(
    *, state: str, number: str, license: str, dates: LicenseDates, by: User, at: datetime
) -> CompanyLicense:
    """Record that the company may lend in a state, and under which license. Raises `BadLicense`."""
    _check_license_kind(state, license, on=at.date())
    with atomic():
        made = company_licenses.add_company_license(
            state=state, number=number, license=license, dates=dates, by=by, at=at
        )
        redecide_held_messages.redecide_after_license_entry(at=at)
    return made


def edit_license(
    *, license_id: UUID, number: str, license: str, dates: LicenseDates, by: User, at: datetime
) -> CompanyLicense:
    """Correct or end a license of the company. Raises `BadLicense`."""
    held = CompanyLicense.objects.get(pk=license_id)
    _check_license_kind(held.state, license, on=at.date())
    with atomic():
        changed = company_licenses.edit_company_license(
            license_id=license_id, number=number, license=license, dates=dates, by=by, at=at
        )
        redecide_held_messages.redecide_after_license_entry(at=at)
    return changed


def update_company(facts: Mapping[str, Any], *, by: User, at: datetime) -> Company:
    """Write down what the company is. Raises `company.BadCompany`."""
    with atomic():
        changed = company_profile.update_company(facts, by=by, at=at)
        redecide_held_messages.redecide_after_license_entry(at=at)
    return changed


def _check_license_kind(state: str, license: str, *, on: date) -> None:
    known = license_wording.license_kinds(state, on=on)
    if known and license not in known:
        raise InvalidLicense(
            f"{STATES[state]} wants another wording under each of its licenses: say which it is."
        )
    if license and license not in known:
        raise InvalidLicense(f"{STATES.get(state, state)} has one wording only: leave that empty.")

"""Changes to the company's licenses and profile, and the messages that waited for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance.gate import license_wording
from rooftree.core.us_states import STATES
from rooftree.flow import bootstrap
from rooftree.org import company_licenses, company_profile
from rooftree.org.company_licenses import LicenseDates
from rooftree.org.models import Company, CompanyLicense, User
from rooftree.org.officer_licenses import InvalidLicense
from rooftree.outreach.messages import redecide_held_messages


def add_license(
    *, state: str, number: str, license: str, dates: LicenseDates, by: User, at: datetime
) -> CompanyLicense:
    """Add a license of the company in a state. Raises `InvalidLicense`."""
    _check_license_kind(state, license, on=at.date())
    with atomic():
        added = company_licenses.add_company_license(
            state=state, number=number, license=license, dates=dates, by=by, at=at
        )
        redecide_held_messages.redecide_after_license_entry(at=at)
    return added


def edit_license(
    *, license_id: UUID, number: str, license: str, dates: LicenseDates, by: User, at: datetime
) -> CompanyLicense:
    """Correct or end a license of the company. Raises `InvalidLicense`."""
    stored = CompanyLicense.objects.get(pk=license_id)
    _check_license_kind(stored.state, license, on=at.date())
    with atomic():
        changed = company_licenses.edit_company_license(
            license_id=license_id, number=number, license=license, dates=dates, by=by, at=at
        )
        redecide_held_messages.redecide_after_license_entry(at=at)
    return changed


def update_company(facts: Mapping[str, Any], *, by: User | None, at: datetime) -> Company:
    """Update the company's profile; a new company gets its defaults at once.

    Raises `company_profile.BadCompany`.
    """
    with atomic():
        changed = company_profile.update_company(facts, by=by, at=at)
        bootstrap.create_defaults_if_company(at=at)
        redecide_held_messages.redecide_after_license_entry(at=at)
    return changed


def _check_license_kind(state: str, license: str, *, on: date) -> None:
    kinds = license_wording.license_kinds(state, on=on)
    if kinds and license not in kinds:
        raise InvalidLicense(
            f"{STATES[state]} requires different wording for each of its licenses. "
            "Choose the license."
        )
    if license and license not in kinds:
        raise InvalidLicense(
            f"{STATES.get(state, state)} has only one wording. Leave the license type empty."
        )

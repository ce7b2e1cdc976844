"""The company's licenses and facts as they are entered, and what waited for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.compliance import license_wording
from rooftree.core.states import STATES
from rooftree.org import company, company_licences
from rooftree.org.company_licences import Dates
from rooftree.org.licences import BadLicense
from rooftree.org.models import Company, CompanyLicense, User
from rooftree.outreach import reconsider


def add(
    *, state: str, number: str, license: str, dates: Dates, by: User, at: datetime
) -> CompanyLicense:
    """Record that the company may lend in a state, and under which license. Raises `BadLicense`."""
    _check(state, license, on=at.date())
    with atomic():
        made = company_licences.add(
            state=state, number=number, license=license, dates=dates, by=by, at=at
        )
        reconsider.now_entered(at=at)
    return made


def edit(
    *, license_id: UUID, number: str, license: str, dates: Dates, by: User, at: datetime
) -> CompanyLicense:
    """Correct or end a license of the company. Raises `BadLicense`."""
    held = CompanyLicense.objects.get(pk=license_id)
    _check(held.state, license, on=at.date())
    with atomic():
        changed = company_licences.edit(
            license_id=license_id, number=number, license=license, dates=dates, by=by, at=at
        )
        reconsider.now_entered(at=at)
    return changed


def change_company(facts: Mapping[str, Any], *, by: User, at: datetime) -> Company:
    """Write down what the company is. Raises `company.BadCompany`."""
    with atomic():
        changed = company.change(facts, by=by, at=at)
        reconsider.now_entered(at=at)
    return changed


def _check(state: str, license: str, *, on: date) -> None:
    known = license_wording.licenses(state, on=on)
    if known and license not in known:
        raise BadLicense(
            f"{STATES[state]} wants another wording under each of its licenses: say which it is."
        )
    if license and license not in known:
        raise BadLicense(f"{STATES.get(state, state)} has one wording only: leave that empty.")

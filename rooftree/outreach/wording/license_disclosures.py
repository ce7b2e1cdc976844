"""What the property's state wants said of our license, from what is on file."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rooftree.compliance.gate import license_wording
from rooftree.compliance.gate.facts import Medium
from rooftree.compliance.gate.license_checks import latest_local_date
from rooftree.compliance.gate.license_wording import RequiredWording
from rooftree.org.models import Company, CompanyLicense
from rooftree.outreach.facts.lead_record_rows import StoredLicense


def license_in_state(
    licenses: Iterable[StoredLicense], state: str, at: datetime
) -> StoredLicense | None:
    """The company's license in a state on its own date; the newest where there are several."""
    today = latest_local_date(state, at)
    there = [one for one in licenses if one.state == state and one.covers(today)]
    return max(there, key=lambda one: one.from_date, default=None)


def license_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> str:
    """The words for a message there; "" where none are asked, or one that they name is missing."""
    demand = required_disclosure(medium, state=state, company=company, licenses=licenses, at=at)
    return demand.words if demand else ""


def required_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> RequiredWording | None:
    """The same with its law and what is missing; None where nothing is asked of this company."""
    if company.kind == "depository":
        return None
    there = license_in_state(licenses, state, at)
    us = license_wording.CompanyDetails(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=company.postal_address,
        number=there.number if there else "",
        license=there.license if there else "",
    )
    return license_wording.required_wording(
        state, Medium(medium), us, on=latest_local_date(state, at)
    )


def load_company_licenses() -> list[StoredLicense]:
    """Every license of the company, of whatever dates."""
    columns = ("state", "number", "license", "from_date", "until_date")
    return [
        StoredLicense(**company_license)
        for company_license in CompanyLicense.objects.values(*columns)
    ]


def missing_license_entries(company: Company, *, at: datetime) -> Mapping[str, str]:
    """What is to be entered, in a sentence, by state we lend in; until then nothing goes there."""
    licenses = load_company_licenses()
    states = sorted({one.state for one in licenses if license_in_state(licenses, one.state, at)})
    found = {
        state: required_disclosure("text", state=state, company=company, licenses=licenses, at=at)
        for state in states
    }
    return {
        state: license_wording.explain_missing_details(state, one.missing)
        for state, one in found.items()
        if one and one.missing
    }

"""License disclosures required by the property state, filled from the records on file."""

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
    """Return the newest license in force in a state on that state's date; None without one."""
    today = latest_local_date(state, at)
    in_force = [row for row in licenses if row.state == state and row.covers(today)]
    return max(in_force, key=lambda row: row.from_date, default=None)


def license_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> str:
    """Return the disclosure text; "" if none is required or a required detail is missing."""
    required = required_disclosure(medium, state=state, company=company, licenses=licenses, at=at)
    return required.words if required else ""


def required_disclosure(
    medium: str, *, state: str, company: Company, licenses: Iterable[StoredLicense], at: datetime
) -> RequiredWording | None:
    """Return the required wording with its law and missing details; None if none is required."""
    if company.kind == "depository":
        return None
    license_row = license_in_state(licenses, state, at)
    details = license_wording.CompanyDetails(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=company.postal_address,
        number=license_row.number if license_row else "",
        license=license_row.license if license_row else "",
    )
    return license_wording.required_wording(
        state, Medium(medium), details, on=latest_local_date(state, at)
    )


def load_company_licenses() -> list[StoredLicense]:
    """Return all licenses of the company, current or not."""
    columns = ("state", "number", "license", "from_date", "until_date")
    return [StoredLicense(**row) for row in CompanyLicense.objects.values(*columns)]


def missing_license_entries(company: Company, *, at: datetime) -> Mapping[str, str]:
    """Return a sentence about missing license details for each state we lend in.

    No message can be sent to such a state until they are entered.
    """
    licenses = load_company_licenses()
    states = sorted({row.state for row in licenses if license_in_state(licenses, row.state, at)})
    required = {
        state: required_disclosure("text", state=state, company=company, licenses=licenses, at=at)
        for state in states
    }
    return {
        state: license_wording.explain_missing_details(state, wording.missing)
        for state, wording in required.items()
        if wording and wording.missing
    }

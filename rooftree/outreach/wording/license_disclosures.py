"""The company's license details, and what is missing of them for messages to a state."""

from collections.abc import Mapping
from datetime import datetime

from rooftree.compliance.gate import license_wording
from rooftree.org.models import Company, CompanyLicense
from rooftree.outreach.facts.lead_records import license_in_state
from rooftree.outreach.facts.stored_rows import StoredLicense
from rooftree.outreach.messages.plan_messages import required_disclosure


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

"""What the gate is told of us: who we are, where we may, and in whose name."""

from datetime import date, timedelta
from typing import Any

from rooftree.compliance.gate.facts import Company as CompanyFacts
from rooftree.compliance.gate.facts import License as LicenseFacts
from rooftree.compliance.gate.facts import Officer as OfficerFacts
from rooftree.compliance.gate.facts import StateLicense
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.wording.license_disclosures import license_in_state


def build_company_facts(
    company: Company, known: LeadRecords, property_state: str, today: date
) -> dict[str, Any]:
    """Who we are, where we may, and how our texts are registered."""
    texting = company.texting
    there = license_in_state(known.company_licenses, property_state, known.at)
    return {
        "company": CompanyFacts(
            nmls_id=company.nmls_id,
            is_depository=company.kind == "depository",
            licensed_states=tuple(
                company_license.state
                for company_license in known.company_licenses
                if company_license.covers(today)
            ),
            license_there=StateLicense(number=there.number, license=there.license)
            if there
            else None,
            website=company.website,
            phone=company.phone,
        ),
        "seller_names": (company.legal_name, company.brand, *company.registered_dbas),
        "registered_states": tuple(company.telemarketer_states),
        "is_brand_registered": bool(texting.get("brand_registered")),
        "campaign_attributes": tuple(texting.get("attributes", ())),
        "optin_source": "own",
        "company_kind": texting.get("company_kind", "direct_lender"),
        "carrier_policy": texting.get("carrier_policy", "any_lender"),
    }


def build_officer_facts(
    officer: LoanOfficer | None, company: Company, today: date
) -> OfficerFacts | None:
    """In whose name it goes; None is the company's own."""
    if officer is None:
        return None
    ended = officer.terminated_at is not None
    return OfficerFacts(
        nmls_id=officer.nmls_id,
        is_sponsored=not ended and officer.sponsored_from_date <= today,
        is_registered=not ended and company.kind == "depository",
        licenses=tuple(
            LicenseFacts(
                state=one.state,
                status=one.status,
                expires_on=one.until_date - timedelta(days=1) if one.until_date else None,
            )
            for one in officer.licenses.all()
            if one.from_date <= today
        ),
    )

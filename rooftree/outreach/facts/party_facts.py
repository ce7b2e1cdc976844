"""Gate facts about the company, the officer, the lead's origin and its ties to the company."""

from datetime import date, timedelta
from typing import Any

from rooftree.capture.sources import SOURCES
from rooftree.compliance.gate import trigger_lead_check
from rooftree.compliance.gate.facts import Company as CompanyFacts
from rooftree.compliance.gate.facts import Emergency, Provenance, Relationship, StateLicense
from rooftree.compliance.gate.facts import License as LicenseFacts
from rooftree.compliance.gate.facts import Officer as OfficerFacts
from rooftree.leads.models import Lead
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.facts.lead_records import LeadRecords, license_in_state

# Channels that sell a person's request, to us and perhaps to others. Lead emails count too.
RESOLD_CHANNELS = frozenset({"aggregator", "marketplace", "email"})
# Adapters whose inquiries come to us alone: our form, our numbers, our own site's chat.
DIRECT_ADAPTERS = frozenset(
    {"website_form", "phone_twilio", "phone_callrail"}
    | {"chat_intercom", "chat_drift", "chat_generic"}
)
RELATIONSHIP_KINDS = {"application": "application", "funded": "transaction"}


def build_company_facts(
    company: Company, records: LeadRecords, property_state: str, today: date
) -> dict[str, Any]:
    """Return the company's identity, licenses, declared emergencies and texting registration."""
    texting = company.texting
    license_row = license_in_state(records.company_licenses, property_state, records.at)
    return {
        "company": CompanyFacts(
            nmls_id=company.nmls_id,
            is_depository=company.kind == "depository",
            licensed_states=tuple(
                company_license.state
                for company_license in records.company_licenses
                if company_license.covers(today)
            ),
            license_there=StateLicense(number=license_row.number, license=license_row.license)
            if license_row
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
        "emergencies": _build_emergencies(company),
        "emergencies_read_at": company.emergencies_checked_at,
    }


def build_officer_facts(
    officer: LoanOfficer | None, company: Company, today: date
) -> OfficerFacts | None:
    """Return the officer's licenses and status; None if the message is in the company's name."""
    if officer is None:
        return None
    ended = officer.terminated_at is not None
    return OfficerFacts(
        nmls_id=officer.nmls_id,
        is_sponsored=not ended and officer.sponsored_from_date <= today,
        is_registered=not ended and company.kind == "depository",
        licenses=tuple(
            LicenseFacts(
                state=row.state,
                status=row.status,
                expires_on=row.until_date - timedelta(days=1) if row.until_date else None,
            )
            for row in officer.licenses.all()
            if row.from_date <= today
        ),
    )


def build_provenance(text: str, lead: Lead, company: Company, records: LeadRecords) -> Provenance:
    """Return where the lead came from and on what basis, for trigger-lead law and the FCRA.

    The class of a source is the one its reviewed terms name, otherwise the one its adapter
    implies. Once a message told them that we are not their lender, later ones need not repeat it.

    Args:
        text: the message as rendered; it can carry the required statements itself.
    """
    basis = records.trigger_lead_basis
    if basis is None:
        return _build_consumer_provenance(lead)
    return Provenance(
        source_class=basis["source_class"],
        acquired_on=lead.created_at.date(),
        is_firm_offer=basis["is_firm_offer"],
        is_authorized_to_cra=basis["is_authorized"] or bool(basis["certified"]),
        relationship=basis["tie"] or None,
        entity="insured_bank" if company.kind == "depository" else None,
        has_opted_out_of_prescreen=bool(basis["has_opted_out"]),
        says_not_affiliated=basis["was_told"]
        or trigger_lead_check.has_not_affiliated_statement(text),
        cra_provenance="none" if basis["source_class"] == "web_intent_vendor" else None,
        keeps_criteria=basis["keeps_criteria"],
        has_prescreen_notices=trigger_lead_check.has_prescreen_notices(text),
    )


def build_relationships(records: LeadRecords) -> tuple[Relationship, ...]:
    """Return inquiries that name us, applications and loans with us (47 CFR 64.1200(f)(5)).

    An inquiry made to an aggregator alone does not count, nor one whose date is unknown.
    """
    inquiries = [
        Relationship(
            kind="inquiry",
            on=touch.asked_on,
            with_us=touch.adapter in DIRECT_ADAPTERS
            or records.form_names_us(touch.source_id, touch.asked_on),
        )
        for touch in records.touches
        if touch.asked_on is not None
    ]
    loans = [
        Relationship(kind=RELATIONSHIP_KINDS[milestone.code], on=milestone.on, with_us=True)
        for milestone in records.loan_milestones
    ]
    return (*inquiries, *loans)


def _build_consumer_provenance(lead: Lead) -> Provenance:
    """Return the provenance of a lead whose person asked us, or a source that passed it on."""
    adapter = SOURCES.get(lead.source.adapter)
    channel = lead.source.setup.get("channel") or (adapter.CHANNEL if adapter else "")
    return Provenance(
        source_class="aggregator" if channel in RESOLD_CHANNELS else "consumer",
        acquired_on=lead.created_at.date(),
        is_firm_offer=None,
        is_authorized_to_cra=None,
        relationship=None,
        entity=None,
        has_opted_out_of_prescreen=None,
        says_not_affiliated=None,
        cra_provenance=None,
    )


def _build_emergencies(company: Company) -> tuple[Emergency, ...]:
    return tuple(
        Emergency(
            state=emergency["state"],
            county=emergency.get("county", "*"),
            from_date=date.fromisoformat(emergency["from"]),
            until_date=date.fromisoformat(emergency["until"]) if emergency.get("until") else None,
        )
        for emergency in company.emergencies
    )

"""Decide whether a borrower can be called, texted or emailed now: the badges beside buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rooftree.compliance.gate import message_gate
from rooftree.compliance.gate.facts import Medium
from rooftree.compliance.gate.verdict import Decision, Ruling, Verdict
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads import contact_points
from rooftree.leads.models import Lead
from rooftree.org import officer_licenses
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.message_facts import (
    OutgoingContact,
    address_key,
    build_contact_by_hand,
    gather_facts,
    gather_facts_of_many,
)
from rooftree.outreach.messages.message_verdicts import store_verdict
from rooftree.outreach.messages.plan_messages import address_for, license_disclosure
from rooftree.outreach.wording.message_templates import signature
from rooftree.outreach.wording.typed_messages import OPT_OUT

MEDIUM_NAMES = {"call": "Call", "text": "Text", "email": "Email"}
LEAD_QUERY = PreparedQuery(
    lambda lead_id: Lead.objects.select_related("person", "source", "officer__user").filter(
        pk=lead_id
    ),
    lead_id=UUID,
)
MAX_LABEL_LENGTH = 30  # characters of a badge


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPermission:
    """The gate's answer for one medium, worded for the page."""

    medium: str
    decision: str  # allow, defer, require or block; "none" without an address
    label: str
    sentence: str
    reason: str = ""  # code of the ruling that decided
    next_allowed_at: datetime | None = None
    address: str = ""
    rulings: tuple[Ruling, ...] = ()  # of every rule; empty without an address

    @property
    def is_allowed(self) -> bool:
        """Return True if an officer can use this medium now."""
        return self.decision == "allow"

    @property
    def house_limits(self) -> tuple[Ruling, ...]:
        """The company's own limits, if nothing but them stands against this contact now."""
        against = [ruling for ruling in self.rulings if ruling.decision is not Decision.ALLOW]
        return tuple(against) if all(ruling.is_house_limit for ruling in against) else ()


def permissions_of_lead(lead: UUID | Lead, *, at: datetime) -> dict[str, ContactPermission]:
    """Return the permission for call, text and email by hand at `at`. Nothing is stored.

    Args:
        lead: its id, or the lead itself; related rows already loaded are not loaded again.
    """
    if isinstance(lead, UUID):
        lead = LEAD_QUERY.get(lead_id=lead)
    _prefetch_contacts([lead])
    addresses = _addresses_by_medium(lead)
    keys = {lead.pk: _address_keys(addresses)}
    records = LeadRecords.load_many([lead], keys=keys, at=at)[lead.pk]
    return _build_permissions(lead, current_company(), addresses, records)


def permissions_of_leads(
    leads: Sequence[Lead], *, at: datetime
) -> dict[UUID, dict[str, ContactPermission]]:
    """Return the permissions of many leads, loading their records at once. Nothing is stored.

    Args:
        leads: with person, source and officer loaded.
    """
    if not leads:
        return {}
    _prefetch_contacts(leads)
    company = current_company()
    addresses = {lead.pk: _addresses_by_medium(lead) for lead in leads}
    keys = {lead_id: _address_keys(by_medium) for lead_id, by_medium in addresses.items()}
    records = LeadRecords.load_many(leads, keys=keys, at=at)
    return {
        lead.pk: _build_permissions(lead, company, addresses[lead.pk], records[lead.pk])
        for lead in leads
    }


def decide_call(*, lead_id: UUID, cause: str, at: datetime) -> VerdictRow:
    """Decide whether an officer can call the borrower now; store and return the verdict."""
    lead, company = LEAD_QUERY.get(lead_id=lead_id), current_company()
    _prefetch_contacts([lead])
    addresses = _addresses_by_medium(lead)
    records = LeadRecords(lead, keys=_address_keys(addresses), at=at)
    outgoing = _build_sample_contact(lead, company, "call", addresses["call"], records, cause=cause)
    facts = gather_facts(outgoing, lead=lead, company=company, at=at, records=records)
    return store_verdict(
        message_gate.decide(facts), facts, lead=lead, subject_key=cause, stage="handoff", at=at
    )


def _prefetch_contacts(leads: Sequence[Lead]) -> None:
    """Load the numbers, addresses and licenses that the decisions about the three media need."""
    contact_points.prefetch_contacts([lead.person for lead in leads], "phones", "emails")
    officer_licenses.prefetch_licenses(lead.officer for lead in leads)


def _addresses_by_medium(lead: Lead) -> dict[str, str]:
    """Return the address for each medium, "" if there is none."""
    return {medium: address_for(lead, medium) for medium in MEDIUM_NAMES}


def _address_keys(addresses: Mapping[str, str]) -> list[str]:
    return [address_key(to) for to in addresses.values() if to]


def _build_permissions(
    lead: Lead, company: Company, addresses: Mapping[str, str], records: LeadRecords
) -> dict[str, ContactPermission]:
    contacts = {
        medium: _build_sample_contact(lead, company, medium, to, records)
        for medium, to in addresses.items()
        if to
    }
    facts = gather_facts_of_many(
        [*contacts.values()], lead=lead, company=company, at=records.at, records=records
    )
    verdicts = {
        medium: message_gate.decide(of_medium)
        for medium, of_medium in zip(contacts, facts, strict=True)
    }
    return {
        medium: _build_permission(medium, to, verdicts[medium])
        if to
        else _no_address_permission(medium)
        for medium, to in addresses.items()
    }


def _build_permission(medium: str, to: str, verdict: Verdict) -> ContactPermission:
    return ContactPermission(
        medium=medium,
        decision=verdict.decision.value,
        label=_permission_label(medium, verdict),
        sentence=verdict.sentence,
        reason=verdict.reason,
        next_allowed_at=verdict.next_allowed_at,
        address=to,
        rulings=verdict.rulings,
    )


def _no_address_permission(medium: str) -> ContactPermission:
    missing = "email address" if medium == "email" else "phone number"
    return ContactPermission(
        medium=medium,
        decision="none",
        label=f"No {missing}",
        sentence=f"No {missing} on file for this borrower yet.",
    )


def _build_sample_contact(
    lead: Lead, company: Company, medium: str, to: str, records: LeadRecords, *, cause: str = ""
) -> OutgoingContact:
    """Build the contact an officer would make by hand: signed, with opt-out, no content yet."""
    text = ""
    if medium != "call":
        license_text = license_disclosure(
            medium,
            state=lead.property_state,
            company=company,
            licenses=records.company_licenses,
            at=records.at,
        )
        text = f"{signature(company, lead.officer)} {OPT_OUT['en']} {license_text}"
    return build_contact_by_hand(Medium(medium), lead, to, records, text=text, cause=cause)


def _permission_label(medium: str, verdict: Verdict) -> str:
    name = MEDIUM_NAMES[medium]
    match verdict.decision:
        case Decision.ALLOW:
            return f"OK to {name.lower()}"
        case Decision.DEFER:
            return f"{name} on hold"
        case Decision.REQUIRE:
            sentence = verdict.sentence.rstrip(".")
            return sentence if len(sentence) <= MAX_LABEL_LENGTH else f"{name} needs review"
    if verdict.reason in ("revoked", "unsubscribed", "revoked_everything", "house_revoke_all"):
        return f"Opted out of {name.lower()}s"
    if verdict.reason in ("no_consent", "no_written_consent"):
        return "No consent on file"
    return f"Can’t {name.lower()}"

"""May this borrower be called, texted or mailed now? The badges beside the buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance.gate import message_gate, verdict_storage
from rooftree.compliance.gate.facts import Medium, Purpose
from rooftree.compliance.gate.verdict import Decision, Ruling, Verdict
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.leads.models import Lead
from rooftree.org.current_company import current_company
from rooftree.org.models import Company
from rooftree.outreach.facts.lead_records import LeadRecords
from rooftree.outreach.facts.message_facts import (
    OutgoingContact,
    address_key,
    gather_facts,
    gather_facts_of_many,
)
from rooftree.outreach.wording.license_disclosures import license_disclosure
from rooftree.outreach.wording.message_templates import signature
from rooftree.outreach.wording.typed_messages import OPT_OUT

MEDIUM_NAMES = {"call": "Call", "text": "Text", "email": "E-mail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPermission:
    """One medium's answer, in the words of the page."""

    medium: str
    decision: str  # allow, defer, require, block, or none when there is no address
    label: str
    sentence: str
    next_allowed_at: datetime | None = None
    address: str = ""
    rulings: tuple[Ruling, ...] = ()  # every rule's answer; empty when there is no address

    @property
    def is_allowed(self) -> bool:
        return self.decision == "allow"


def permissions_of_lead(lead: UUID | Lead, *, at: datetime) -> dict[str, ContactPermission]:
    """What an officer may do by hand now, for call, text and email. Nothing is stored.

    Args:
        lead: its id, or the lead itself; what is already loaded with it is not read again.
    """
    lead = _load_lead(lead) if isinstance(lead, UUID) else _prefetch_contacts(lead)
    there = _addresses_by_medium(lead)
    return _build_permissions(
        lead, current_company(), there, LeadRecords(lead, keys=_address_keys(there), at=at)
    )


def permissions_of_leads(
    leads: Sequence[Lead], *, at: datetime
) -> dict[UUID, dict[str, ContactPermission]]:
    """The same for a page of leads, in one reading of the facts of all. Nothing is stored.

    Args:
        leads: their persons, sources and officers are loaded.
    """
    if not leads:
        return {}
    loaded = ("person__phones", "person__emails", "officer__licenses", "officer__user")
    prefetch_related_objects([*leads], *loaded)
    company, there = current_company(), {lead.pk: _addresses_by_medium(lead) for lead in leads}
    keys = {key: _address_keys(addresses) for key, addresses in there.items()}
    known = LeadRecords.load_many(leads, keys=keys, at=at)
    return {
        lead.pk: _build_permissions(lead, company, there[lead.pk], known[lead.pk]) for lead in leads
    }


def decide_call(*, lead_id: UUID, cause: str, at: datetime) -> VerdictRow:
    """Whether an officer may call the borrower now; the verdict is kept."""
    lead, company = _load_lead(lead_id), current_company()
    there = _addresses_by_medium(lead)
    known = LeadRecords(lead, keys=_address_keys(there), at=at)
    outgoing = _build_sample_contact(lead, company, "call", there["call"], known, cause=cause)
    facts = gather_facts(outgoing, lead=lead, company=company, at=at, known=known)
    return verdict_storage.store_verdict(
        message_gate.decide(facts), facts, lead=lead, subject_key=cause, stage="handoff", at=at
    )


def _load_lead(lead_id: UUID) -> Lead:
    rows = Lead.objects.select_related("person", "source", "officer__user")
    return _prefetch_contacts(rows.get(pk=lead_id))


def _prefetch_contacts(lead: Lead) -> Lead:
    """The lead with every row that all three media are judged by."""
    prefetch_related_objects([lead], "person__phones", "person__emails", "officer__licenses")
    return lead


def _addresses_by_medium(lead: Lead) -> dict[str, str]:
    """Where each medium would go; "" when there is nowhere. As `send.address_for`, when loaded."""
    numbers = [phone for phone in lead.person.phones.all() if phone.unlinked_at is None]
    mails = [email for email in lead.person.emails.all() if email.bounced_at is None]
    number = min(numbers, key=lambda one: (not one.is_primary, one.given_at), default=None)
    mail = min(mails, key=lambda one: (not one.is_primary, one.given_at), default=None)
    there = number.e164 if number else ""
    return {"call": there, "text": there, "email": mail.address if mail else ""}


def _address_keys(addresses: Mapping[str, str]) -> list[str]:
    return [address_key(to) for to in addresses.values() if to]


def _build_permissions(
    lead: Lead, company: Company, addresses: Mapping[str, str], known: LeadRecords
) -> dict[str, ContactPermission]:
    would = {
        medium: _build_sample_contact(lead, company, medium, to, known)
        for medium, to in addresses.items()
        if to
    }
    facts = gather_facts_of_many(
        [*would.values()], lead=lead, company=company, at=known.at, known=known
    )
    said = {medium: message_gate.decide(one) for medium, one in zip(would, facts, strict=True)}
    return {
        medium: _build_permission(medium, to, said[medium])
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
        next_allowed_at=verdict.next_allowed_at,
        address=to,
        rulings=verdict.rulings,
    )


def _no_address_permission(medium: str) -> ContactPermission:
    missing = "e-mail address" if medium == "email" else "phone number"
    return ContactPermission(
        medium=medium,
        decision="none",
        label=f"No {missing}",
        sentence=f"Nobody has given us a {missing} for this borrower yet.",
    )


def _build_sample_contact(
    lead: Lead, company: Company, medium: str, to: str, known: LeadRecords, *, cause: str = ""
) -> OutgoingContact:
    """As the officer would do it by hand: signed, with the way out, no promotion checked yet."""
    ending = signature(company, lead.officer)
    licensed = license_disclosure(
        medium,
        state=lead.property_state,
        company=company,
        licenses=known.company_licenses,
        at=known.at,
    )
    return OutgoingContact(
        medium=Medium(medium),
        purpose=Purpose.MARKETING,
        is_automated=False,
        to=to,
        text="" if medium == "call" else f"{ending} {OPT_OUT['en']} {licensed}",
        officer=lead.officer,
        idempotency_key=cause,
    )


def _permission_label(medium: str, verdict: Verdict) -> str:
    name = MEDIUM_NAMES[medium]
    match verdict.decision:
        case Decision.ALLOW:
            return f"{name} allowed"
        case Decision.DEFER:
            return f"{name} held"
        case Decision.REQUIRE:
            return f"{name} needs a person"
    if verdict.reason in ("revoked", "unsubscribed", "revoked_everything", "house_revoke_all"):
        return f"{name}s ended"
    if verdict.reason in ("no_consent", "no_written_consent"):
        return "No consent known"
    return f"{name} not allowed"

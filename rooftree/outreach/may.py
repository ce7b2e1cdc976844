"""May this borrower be called, texted or mailed now? The badges beside the buttons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Medium, Purpose
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.compliance.verdict import Decision, Ruling, Verdict
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.org.the_company import the_company
from rooftree.outreach.compose import OPT_OUT
from rooftree.outreach.facts import Outgoing, address_key, gather, gather_all
from rooftree.outreach.known import Known
from rooftree.outreach.license_words import license_words
from rooftree.outreach.wording import signature

WORDS = {"call": "Call", "text": "Text", "email": "E-mail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """One medium's answer, in the words of the page."""

    medium: str
    decision: str  # allow, defer, require, block, or none when there is no address
    words: str
    sentence: str
    next_allowed_at: datetime | None = None
    address: str = ""
    rulings: tuple[Ruling, ...] = ()  # every rule's answer; empty when there is no address

    @property
    def is_allowed(self) -> bool:
        return self.decision == "allow"


def badges(lead: UUID | Lead, *, at: datetime) -> dict[str, Badge]:
    """What an officer may do by hand now, for call, text and email. Nothing is stored.

    Args:
        lead: its id, or the lead itself; what is already loaded with it is not read again.
    """
    lead = _load(lead) if isinstance(lead, UUID) else _filled(lead)
    there = _addresses(lead)
    return _badges(lead, the_company(), there, Known(lead, keys=_keys(there), at=at))


def of_leads(leads: Sequence[Lead], *, at: datetime) -> dict[UUID, dict[str, Badge]]:
    """The same for a page of leads, in one reading of the facts of all. Nothing is stored.

    Args:
        leads: their persons, sources and officers are loaded.
    """
    if not leads:
        return {}
    loaded = ("person__phones", "person__emails", "officer__licenses", "officer__user")
    prefetch_related_objects([*leads], *loaded)
    company, there = the_company(), {lead.pk: _addresses(lead) for lead in leads}
    keys = {key: _keys(addresses) for key, addresses in there.items()}
    known = Known.of_many(leads, keys=keys, at=at)
    return {lead.pk: _badges(lead, company, there[lead.pk], known[lead.pk]) for lead in leads}


def call(*, lead_id: UUID, cause: str, at: datetime) -> VerdictRow:
    """Whether an officer may call the borrower now; the verdict is kept."""
    lead, company = _load(lead_id), the_company()
    there = _addresses(lead)
    known = Known(lead, keys=_keys(there), at=at)
    outgoing = _outgoing(lead, company, "call", there["call"], known, cause=cause)
    facts = gather(outgoing, lead=lead, company=company, at=at, known=known)
    return store_verdict.store(
        gate.decide(facts), facts, lead=lead, cause=cause, stage="handoff", at=at
    )


def _load(lead_id: UUID) -> Lead:
    rows = Lead.objects.select_related("person", "source", "officer__user")
    return _filled(rows.get(pk=lead_id))


def _filled(lead: Lead) -> Lead:
    """The lead with every row that all three media are judged by."""
    prefetch_related_objects([lead], "person__phones", "person__emails", "officer__licenses")
    return lead


def _addresses(lead: Lead) -> dict[str, str]:
    """Where each medium would go; "" when there is nowhere. As `send.address_for`, when loaded."""
    numbers = [one for one in lead.person.phones.all() if one.unlinked_at is None]
    mails = [one for one in lead.person.emails.all() if one.bounced_at is None]
    number = min(numbers, key=lambda one: (not one.is_primary, one.given_at), default=None)
    mail = min(mails, key=lambda one: (not one.is_primary, one.given_at), default=None)
    there = number.e164 if number else ""
    return {"call": there, "text": there, "email": mail.address if mail else ""}


def _keys(addresses: Mapping[str, str]) -> list[str]:
    return [address_key(to) for to in addresses.values() if to]


def _badges(
    lead: Lead, company: Company, addresses: Mapping[str, str], known: Known
) -> dict[str, Badge]:
    would = {
        medium: _outgoing(lead, company, medium, to, known)
        for medium, to in addresses.items()
        if to
    }
    facts = gather_all([*would.values()], lead=lead, company=company, at=known.at, known=known)
    said = {medium: gate.decide(one) for medium, one in zip(would, facts, strict=True)}
    return {
        medium: _badge(medium, to, said[medium]) if to else _nowhere(medium)
        for medium, to in addresses.items()
    }


def _badge(medium: str, to: str, verdict: Verdict) -> Badge:
    return Badge(
        medium=medium,
        decision=verdict.decision.value,
        words=_words(medium, verdict),
        sentence=verdict.sentence,
        next_allowed_at=verdict.next_allowed_at,
        address=to,
        rulings=verdict.rulings,
    )


def _nowhere(medium: str) -> Badge:
    missing = "e-mail address" if medium == "email" else "phone number"
    return Badge(
        medium=medium,
        decision="none",
        words=f"No {missing}",
        sentence=f"Nobody has given us a {missing} for this borrower yet.",
    )


def _outgoing(
    lead: Lead, company: Company, medium: str, to: str, known: Known, *, cause: str = ""
) -> Outgoing:
    """As the officer would do it by hand: signed, with the way out, no promotion checked yet."""
    ending = signature(company, lead.officer)
    licensed = license_words(
        medium,
        state=lead.property_state,
        company=company,
        licenses=known.company_licenses,
        at=known.at,
    )
    return Outgoing(
        medium=Medium(medium),
        purpose=Purpose.MARKETING,
        is_automated=False,
        to=to,
        text="" if medium == "call" else f"{ending} {OPT_OUT['en']} {licensed}",
        officer=lead.officer,
        cause=cause,
    )


def _words(medium: str, verdict: Verdict) -> str:
    name = WORDS[medium]
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

"""May this borrower be called, texted or mailed now? The badges beside the buttons."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rooftree.compliance import gate, store_verdict
from rooftree.compliance.facts import Facts, Medium, Purpose
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.compliance.verdict import Decision, Verdict
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach import send
from rooftree.outreach.compose import OPT_OUT
from rooftree.outreach.facts import Outgoing, gather
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

    @property
    def is_allowed(self) -> bool:
        return self.decision == "allow"


def badges(lead_id: UUID, *, at: datetime) -> dict[str, Badge]:
    """What an officer may do by hand now, for call, text and email. Nothing is stored."""
    lead, company = _load(lead_id), Company.objects.get()
    return {medium: _badge(lead, company, medium, at) for medium in WORDS}


def call(*, lead_id: UUID, cause: str, at: datetime) -> VerdictRow:
    """Whether an officer may call the borrower now; the verdict is kept."""
    lead, company = _load(lead_id), Company.objects.get()
    facts = _facts(lead, company, "call", send.address_for(lead, "text"), at)
    return store_verdict.store(
        gate.decide(facts), facts, lead=lead, cause=cause, stage="handoff", at=at
    )


def _load(lead_id: UUID) -> Lead:
    return (
        Lead.objects.select_related("person", "source", "officer__user")
        .prefetch_related("person__phones", "person__emails", "officer__licenses")
        .get(pk=lead_id)
    )


def _badge(lead: Lead, company: Company, medium: str, at: datetime) -> Badge:
    to = send.address_for(lead, "email" if medium == "email" else "text")
    if not to:
        missing = "e-mail address" if medium == "email" else "phone number"
        return Badge(
            medium=medium,
            decision="none",
            words=f"No {missing}",
            sentence=f"Nobody has given us a {missing} for this borrower yet.",
        )
    verdict = gate.decide(_facts(lead, company, medium, to, at))
    return Badge(
        medium=medium,
        decision=verdict.decision.value,
        words=_words(medium, verdict),
        sentence=verdict.sentence,
        next_allowed_at=verdict.next_allowed_at,
        address=to,
    )


def _facts(lead: Lead, company: Company, medium: str, to: str, at: datetime) -> Facts:
    """As the officer would do it by hand: signed, with the way out, no promotion checked yet."""
    ending = signature(company, lead.officer)
    outgoing = Outgoing(
        medium=Medium(medium),
        purpose=Purpose.MARKETING,
        is_automated=False,
        to=to,
        text="" if medium == "call" else f"{ending} {OPT_OUT['en']}",
        officer=lead.officer,
    )
    return gather(outgoing, lead=lead, company=company, at=at)


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

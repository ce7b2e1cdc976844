"""What proves that one lead of a credit bureau may be contacted, written down before contact."""

from dataclasses import asdict, dataclass
from datetime import datetime

from rooftree.compliance.gate.trigger_lead_check import CREDIT_BUREAU
from rooftree.compliance.models import LeadBasis, SourceTerms
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

# 15 USC 1681b(c)(4): what we are to them today; a loan that was paid off is none.
RELATIONSHIP_LABELS = {
    "": "None",
    "current_servicer": "We service their current loan",
    "originated_current_loan": "We originated their current loan",
    "current_account": "They have a current account with us, an insured bank or credit union",
}


class BadBasis(InvalidField):
    """What was typed proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisProof:
    """What a person of compliance has seen."""

    is_authorized: bool
    relationship: str
    has_opted_out: bool
    reference: str


def is_basis_required(lead: Lead) -> bool:
    """Whether a credit bureau sold this lead, so that somebody must prove its basis."""
    rows = SourceTerms.objects.filter(source=lead.source, reviewed_at__isnull=False)
    return rows.filter(source_class=CREDIT_BUREAU).exists()


def record_basis(lead: Lead, basis: BasisProof, *, by: User, at: datetime) -> LeadBasis:
    """Write down the basis of a lead; the newest counts, none is edited. Raises `NoBasis`."""
    if basis.relationship not in RELATIONSHIP_LABELS:
        raise BadBasis("relationship", "Choose what we are to them today.")
    if not basis.reference.strip():
        raise BadBasis("reference", "Say where the proof is kept; without it nothing is proven.")
    made = LeadBasis.objects.create(id=uuid7_at(at), lead=lead, by=by, at=at, **asdict(basis))
    write_event(
        "compliance.lead_basis.recorded",
        at=at,
        actor=f"user:{by.pk}",
        lead_id=lead.pk,
        basis=made.pk,
        relationship=made.relationship or None,
        authorized=made.is_authorized,
    )
    return made

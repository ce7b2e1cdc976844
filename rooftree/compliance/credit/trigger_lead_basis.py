"""Proof that a lead sold by a credit bureau can be contacted, recorded before contact."""

from dataclasses import asdict, dataclass
from datetime import datetime

from rooftree.compliance.gate.trigger_lead_check import CREDIT_BUREAU
from rooftree.compliance.models import LeadBasis, SourceTerms
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User

# 15 USC 1681b(c)(4): our current relationship; a paid-off loan does not count.
RELATIONSHIP_LABELS = {
    "": "None",
    "current_servicer": "We service the borrower’s current loan",
    "originated_current_loan": "We originated the borrower’s current loan",
    "current_account": "The borrower has a current account with us (insured bank or credit union)",
}


class BadBasis(InvalidField):
    """The recorded facts prove no basis. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisProof:
    """The facts a compliance user has verified for one lead."""

    is_authorized: bool
    relationship: str
    has_opted_out: bool
    reference: str


def is_basis_required(lead: Lead) -> bool:
    """Return whether a credit bureau sold this lead, so that its basis must be proven."""
    rows = SourceTerms.objects.filter(source=lead.source, reviewed_at__isnull=False)
    return rows.filter(source_class=CREDIT_BUREAU).exists()


def record_basis(lead: Lead, basis: BasisProof, *, by: User, at: datetime) -> LeadBasis:
    """Record the basis of a lead; the newest counts and none is edited. Raises `BadBasis`."""
    if basis.relationship not in RELATIONSHIP_LABELS:
        raise BadBasis("relationship", "Choose our current relationship to the borrower.")
    if not basis.reference.strip():
        raise BadBasis("reference", "Enter where the proof is kept.")
    row = LeadBasis.objects.create(id=uuid7_at(at), lead=lead, by=by, at=at, **asdict(basis))
    write_event(
        "compliance.lead_basis.recorded",
        at=at,
        actor=f"user:{by.pk}",
        lead_id=lead.pk,
        basis=row.pk,
        relationship=row.relationship or None,
        authorized=row.is_authorized,
    )
    return row

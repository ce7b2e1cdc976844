"""Removal of vendors' credit data for which no permissible purpose is on file.

A credit word or range that consumers state themselves is not a consumer report. A score that the
vendor assigned is treated as one, and so is all credit data of a lead that no consumer asked for
(canonical record, credit.basis; FCR-01). The check runs before the inquiry is stored, so no
score, routing rule or page can use data we are not allowed to keep.
"""

from dataclasses import replace
from datetime import date, datetime

from rooftree.compliance.consent.store_consents import terms_in_force
from rooftree.compliance.credit import credit_report_rules
from rooftree.compliance.gate.verdict import Decision, Ruling
from rooftree.compliance.models import SourceTerms
from rooftree.leads.canonical import CanonicalLead, Credit
from rooftree.leads.models import Lead, Source
from rooftree.leads.vocabulary import CreditBasis
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event

CREDIT_DATA_REFUSED = "compliance.credit_data.refused"


def remove_unpermitted_credit(
    inquiry: CanonicalLead, source: Source, on: date
) -> tuple[CanonicalLead, Ruling | None]:
    """Remove unpermitted credit data from an inquiry that has some; return the ruling if so."""
    assert inquiry.credit is not None
    terms = terms_in_force(source.pk, on)
    is_vendor_assigned = inquiry.credit.basis is CreditBasis.VENDOR_ASSIGNED
    if not (is_vendor_assigned or _is_unsolicited(terms)):  # cannot be from a consumer report
        return inquiry, None
    ruling = credit_report_rules.check_report_data_purpose(
        purpose=terms.report_purpose if terms else "",
        is_firm_offer=bool(terms and terms.is_firm_offer and terms.criteria.strip()),
    )
    if ruling.decision is Decision.ALLOW:
        return inquiry, None
    own_answers = replace(inquiry.credit, band=None, score_low=None, score_high=None, basis=None)
    is_empty = _is_unsolicited(terms) or own_answers == Credit()
    return replace(inquiry, credit=None if is_empty else own_answers), ruling


def credit_refused_event(lead: Lead | None, ruling: Ruling, at: datetime) -> Event:
    """Build the ledger event about removed credit data; the event contains none of the data."""
    assert lead is not None
    return build_event(
        CREDIT_DATA_REFUSED,
        at=at,
        actor="system:intake",
        lead_id=lead.pk,
        source_id=lead.source_id,
        rule=ruling.rule,
        reason=ruling.reason,
    )


def _is_unsolicited(terms: SourceTerms | None) -> bool:
    return bool(terms and terms.source_class)

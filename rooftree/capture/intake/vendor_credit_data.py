"""Credit data that a seller had of somebody else: kept where its purpose is on file, else let go.

What consumers say of their own credit, as a word or a range, is no consumer report. A score that
the seller assigned is taken for one, and so is whatever comes with a lead that no consumer asked
for (canonical record, credit.basis; FCR-01). It is asked before anything of it is written to a
lead, so no score, no routing rule and no page can use what may not be kept.
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
    """The inquiry with what may be kept of it, and the rule that took something away."""
    if inquiry.credit is None:
        return inquiry, None
    terms = terms_in_force(source.pk, on)
    if not _may_be_consumer_report(inquiry.credit, terms):
        return inquiry, None
    ruling = credit_report_rules.check_report_data_purpose(
        purpose=terms.report_purpose if terms else "",
        is_firm_offer=bool(terms and terms.is_firm_offer and terms.criteria.strip()),
    )
    if ruling.decision is Decision.ALLOW:
        return inquiry, None
    return replace(inquiry, credit=_self_reported_credit(inquiry.credit, terms)), ruling


def credit_refused_event(lead: Lead | None, ruling: Ruling, at: datetime) -> Event:
    """The ledger's word on it; of the data themselves it says nothing."""
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


def _may_be_consumer_report(credit: Credit, terms: SourceTerms | None) -> bool:
    """Whether it may have come from a consumer report."""
    return credit.basis is CreditBasis.VENDOR_ASSIGNED or _is_unsolicited(terms)


def _is_unsolicited(terms: SourceTerms | None) -> bool:
    return bool(terms and terms.source_class)


def _self_reported_credit(credit: Credit, terms: SourceTerms | None) -> Credit | None:
    """What is left: their own answers, where they gave any."""
    left = replace(credit, band=None, score_low=None, score_high=None, basis=None)
    return None if _is_unsolicited(terms) or left == Credit() else left

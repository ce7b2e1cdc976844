"""Where a lead came from and on what basis: what trigger-lead law and the FCRA ask."""

from rooftree.capture.sources import SOURCES
from rooftree.compliance.gate import trigger_lead_check
from rooftree.compliance.gate.facts import Provenance
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.facts.lead_records import LeadRecords

# Who sells a person's request on, to us and perhaps to others; lead letters come from them too.
RESOLD_CHANNELS = frozenset({"aggregator", "marketplace", "email"})


def build_provenance(text: str, lead: Lead, company: Company, known: LeadRecords) -> Provenance:
    """What is proven of the lead, and what `text` says of it.

    The class of a source is what its reviewed terms say, else what its adapter is. Once
    they were told that we are not their lender, a later message need not say it again.
    """
    held = known.trigger_lead_basis
    if held is None:
        return _build_consumer_provenance(lead)
    return Provenance(
        source_class=held["source_class"],
        acquired_on=lead.created_at.date(),
        is_firm_offer=held["is_firm_offer"],
        is_authorized_to_cra=held["is_authorized"] or bool(held["certified"]),
        relationship=held["tie"] or None,
        entity="insured_bank" if company.kind == "depository" else None,
        has_opted_out_of_prescreen=bool(held["has_opted_out"]),
        says_not_affiliated=held["was_told"]
        or trigger_lead_check.has_not_affiliated_statement(text),
        cra_provenance="none" if held["source_class"] == "web_intent_vendor" else None,
        keeps_criteria=held["keeps_criteria"],
        has_prescreen_notices=trigger_lead_check.has_prescreen_notices(text),
    )


def _build_consumer_provenance(lead: Lead) -> Provenance:
    """They asked for it themselves, of us or of somebody who passed it on."""
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

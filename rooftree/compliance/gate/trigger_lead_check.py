"""Trigger leads: sold by a credit bureau because a consumer applied elsewhere (TRG-01, TRG-02)."""

import re

from rooftree.compliance.credit import credit_report_rules
from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.facts import Facts, Medium, Provenance, Purpose, get_fact
from rooftree.compliance.gate.rulebook import TRIGGER_LEAD_LAW, TRIGGER_LEAD_LAW_FROM
from rooftree.compliance.gate.verdict import Rule, Ruling

TRG_01 = Rule(id="TRG-01", cite="15 USC 1681b(c)(4), PL 119-36")
TRG_02 = Rule(id="TRG-02", cite="state trigger-lead laws: AR CT GA IA ID KS KY ME RI TX UT WI")
CREDIT_BUREAU = "cra_trigger"
CONSUMER_SOURCES = frozenset({"consumer", "aggregator", "referral", "our_customer", "own_form"})
LOAN_RELATIONSHIPS = frozenset(
    {"current_servicer", "originated_current_loan", "current_originator"}
)
INSURED_ENTITIES = frozenset({"insured_bank", "insured_credit_union"})
WRITTEN_MEDIA = frozenset({Medium.TEXT, Medium.EMAIL, Medium.MAIL})
NOT_AFFILIATED_PATTERN = re.compile(
    r"\b(?:not|nor) (?:\w+ ){0,2}affiliated with\b|\bno (?:\w+ ){0,2}afiliad[ao]s? (?:a|con)\b",
    re.IGNORECASE,
)
# 12 CFR 1022.54: the short notice next to the offer, the long one under its own heading.
SHORT_NOTICE_PATTERN = re.compile(
    r"\bstop receiving .{0,20}prescreened|\bopt[- ]out of .{0,20}prescreened"
    r"|\bdejar de recibir .{0,20}preseleccionad",
    re.IGNORECASE,
)
LONG_NOTICE_PATTERN = re.compile(
    r"\bPRESCREEN (?:&|AND) OPT-OUT NOTICE\b|\bAVISO DE PRESELECCI[OÓ]N\b"
)


def check_basis(facts: Facts) -> Ruling | None:
    """Require a firm offer, and authorization or a current relationship, for a bureau's lead."""
    lead = get_fact(facts.provenance, "provenance")
    if lead.source_class in CONSUMER_SOURCES:
        return TRG_01.allow("consumer_initiated_transaction")
    if lead.source_class == CREDIT_BUREAU:
        return _check_bureau_lead(lead)
    if lead.cra_provenance == "none":
        return TRG_01.require("privacy_and_udaap_review")
    return TRG_01.block("provenance_unknown")


def _check_bureau_lead(lead: Provenance) -> Ruling:
    if lead.acquired_on < TRIGGER_LEAD_LAW_FROM:
        if not lead.is_firm_offer:
            return TRG_01.block("firm_offer_required")
        return TRG_01.allow("pre_hppa_state_rules_apply")
    if not lead.is_firm_offer:
        return TRG_01.block("firm_offer_required")
    if lead.is_authorized_to_cra:
        return TRG_01.allow("hppa_consent")
    is_account = lead.relationship == "current_account" and lead.entity in INSURED_ENTITIES
    if lead.relationship in LOAN_RELATIONSHIPS or is_account:
        return TRG_01.allow("hppa_relationship")
    return TRG_01.block("hppa_no_basis")


def check_prescreen_notices(facts: Facts) -> Ruling | None:
    """Require the prescreen notices in a written offer to a bureau's lead (FCR-02)."""
    lead = get_fact(facts.provenance, "provenance")
    if lead.source_class != CREDIT_BUREAU or get_fact(facts.medium, "medium") not in WRITTEN_MEDIA:
        return None
    if get_fact(facts.purpose, "purpose") is not Purpose.MARKETING:
        return None
    return credit_report_rules.check_prescreened_offer(
        has_notices=bool(lead.has_prescreen_notices), keeps_criteria=bool(lead.keeps_criteria)
    )


def has_not_affiliated_statement(text: str) -> bool:
    """Return whether the text says the company isn't affiliated with the borrower's lender."""
    return NOT_AFFILIATED_PATTERN.search(text) is not None


def has_prescreen_notices(text: str) -> bool:
    """Return whether the text has both prescreen opt-out notices."""
    return bool(SHORT_NOTICE_PATTERN.search(text) and LONG_NOTICE_PATTERN.search(text))


def check_state_law(facts: Facts) -> Ruling | None:
    """Honor prescreen opt-outs, and require the state disclosure on trigger leads."""
    lead = get_fact(facts.provenance, "provenance")
    if lead.source_class != CREDIT_BUREAU:
        return None
    if lead.has_opted_out_of_prescreen:
        return TRG_02.block("prescreen_optout")
    if not any(
        TRIGGER_LEAD_LAW in state.flags for state in effective_rules.candidate_state_rules(facts)
    ):
        return TRG_02.allow("state_clear")
    if not lead.says_not_affiliated:
        return TRG_02.block("state_disclosure_missing")
    return TRG_02.allow("state_disclosure_ok")

"""Leads that a credit bureau sold because somebody applied elsewhere (TRG-01, TRG-02)."""

import re

from rooftree.compliance import credit_reports, law
from rooftree.compliance.facts import Facts, Medium, Provenance, Purpose, known
from rooftree.compliance.rulebook import TRIGGER, TRIGGER_FROM
from rooftree.compliance.verdict import Rule, Ruling

TRG_01 = Rule(id="TRG-01", cite="15 USC 1681b(c)(4), PL 119-36")
TRG_02 = Rule(id="TRG-02", cite="state trigger-lead laws: AR CT GA IA ID KS KY ME RI TX UT WI")
CREDIT_BUREAU = "cra_trigger"
OWN_SOURCES = frozenset({"consumer", "aggregator", "referral", "our_customer", "own_form"})
LOAN_TIES = frozenset({"current_servicer", "originated_current_loan", "current_originator"})
INSURED = frozenset({"insured_bank", "insured_credit_union"})
WRITTEN = frozenset({Medium.TEXT, Medium.EMAIL, Medium.MAIL})
NOT_AFFILIATED = re.compile(
    r"\b(?:not|nor) (?:\w+ ){0,2}affiliated with\b|\bno (?:\w+ ){0,2}afiliad[ao]s? (?:a|con)\b",
    re.IGNORECASE,
)
# 12 CFR 1022.54: the short notice beside the offer, the long one under its own heading.
SHORT_NOTICE = re.compile(
    r"\bstop receiving .{0,20}prescreened|\bopt[- ]out of .{0,20}prescreened"
    r"|\bdejar de recibir .{0,20}preseleccionad",
    re.IGNORECASE,
)
LONG_NOTICE = re.compile(r"\bPRESCREEN (?:&|AND) OPT-OUT NOTICE\b|\bAVISO DE PRESELECCI[OÓ]N\b")


def basis(facts: Facts) -> Ruling | None:
    """A bureau's inquiry needs a firm offer and the consumer's authorization or a live tie."""
    lead = known(facts.provenance, "provenance")
    if lead.source_class in OWN_SOURCES:
        return TRG_01.allow("consumer_initiated_transaction")
    if lead.source_class == CREDIT_BUREAU:
        return _bureau(lead)
    if lead.cra_provenance == "none":
        return TRG_01.require("privacy_and_udaap_review")
    return TRG_01.block("provenance_unknown")


def _bureau(lead: Provenance) -> Ruling:
    if lead.acquired_on < TRIGGER_FROM:
        if not lead.is_firm_offer:
            return TRG_01.block("firm_offer_required")
        return TRG_01.allow("pre_hppa_state_rules_apply")
    if not lead.is_firm_offer:
        return TRG_01.block("firm_offer_required")
    if lead.is_authorized_to_cra:
        return TRG_01.allow("hppa_consent")
    is_account = lead.relationship == "current_account" and lead.entity in INSURED
    if lead.relationship in LOAN_TIES or is_account:
        return TRG_01.allow("hppa_relationship")
    return TRG_01.block("hppa_no_basis")


def prescreened(facts: Facts) -> Ruling | None:
    """An offer to a bureau's lead is a prescreened one, and carries its notices (FCR-02)."""
    lead = known(facts.provenance, "provenance")
    if lead.source_class != CREDIT_BUREAU or known(facts.medium, "medium") not in WRITTEN:
        return None
    if known(facts.purpose, "purpose") is not Purpose.MARKETING:
        return None
    return credit_reports.prescreened_offer(
        has_notices=bool(lead.has_prescreen_notices), keeps_criteria=bool(lead.keeps_criteria)
    )


def says_not_affiliated(text: str) -> bool:
    """The words say that we are not the lender whom they asked."""
    return NOT_AFFILIATED.search(text) is not None


def has_notices(text: str) -> bool:
    """The words carry both opt-out notices."""
    return bool(SHORT_NOTICE.search(text) and LONG_NOTICE.search(text))


def state_law(facts: Facts) -> Ruling | None:
    """Where a state regulates them: opt-outs are honoured and the first words are honest."""
    lead = known(facts.provenance, "provenance")
    if lead.source_class != CREDIT_BUREAU:
        return None
    if lead.has_opted_out_of_prescreen:
        return TRG_02.block("prescreen_optout")
    if not any(TRIGGER in one.flags for one in law.states(facts)):
        return TRG_02.allow("state_clear")
    if not lead.says_not_affiliated:
        return TRG_02.block("state_disclosure_missing")
    return TRG_02.allow("state_disclosure_ok")

"""Rules for loan officer pay and against steering (LOC-01)."""

import re
from decimal import Decimal

from rooftree.compliance.gate.verdict import Rule, Ruling

LOC_01 = Rule(id="LOC-01", cite="12 CFR 1026.36(d)-(e); 15 USC 1639b(c)")
BONUS_LIMIT = Decimal(10)  # percent of total pay, 12 CFR 1026.36(d)(1)(iv)
LOAN_TERM_PATTERN = re.compile(
    r"rate|apr|product|program|points|fees?|margin|prepay|loan_type|term|overage|yield|spread|pric"
)
PROXY_PATTERN = re.compile(
    r"credit_score|fico|ltv|loan_to_value|dti|debt_to_income|lien|reserves|location"
)
PERMITTED_BASIS_PATTERN = re.compile(
    r"fixed_pct_of_loan_amount|fixed_amount|flat_per_loan|hours|hourly|salary|volume|retention|"
    r"quality|units|new_customers"
)
PAY_PATTERN = re.compile(r"comp(?!an|let)|(?<!down_)pay|commission|bonus|margin")


def check_basis(comp_basis: str, *, only_when: str = "") -> Ruling:
    """Decide whether pay can depend on this basis."""
    if only_when or PROXY_PATTERN.search(comp_basis):
        return LOC_01.block("proxy_for_term")
    if PERMITTED_BASIS_PATTERN.search(comp_basis):
        return LOC_01.allow("permitted_basis")
    if comp_basis == "lead_source":
        return LOC_01.require("counsel_review_lead_source_split")
    if LOAN_TERM_PATTERN.search(comp_basis):
        return LOC_01.block("term_of_transaction")
    return LOC_01.require("counsel_review_lead_source_split")


def check_described_basis(words: str) -> Ruling:
    """Decide a basis described in words; one word of a loan term or a proxy refuses it all."""
    if LOAN_TERM_PATTERN.search(words):
        return LOC_01.block("term_of_transaction")
    return check_basis(words)


def check_payers(*, consumer_pays: bool, creditor_pays: bool) -> Ruling:
    """Block pay from both the consumer and the creditor."""
    if consumer_pays and creditor_pays:
        return LOC_01.block("dual_compensation")
    return LOC_01.allow("permitted_basis")


def refuse_change_after_terms() -> Ruling:
    """Block a pay change after terms were offered."""
    return LOC_01.block("comp_change_after_terms")


def check_profit_bonus(*, percent: Decimal) -> Ruling:
    """Limit a bonus from profits to a tenth of total pay."""
    if percent > BONUS_LIMIT:
        return LOC_01.block("profit_bonus_over_10_pct")
    return LOC_01.allow("within_10_pct")


def check_routing_rule(rule: str) -> Ruling:
    """Block a rule that offers a product because it pays the officer better."""
    if PAY_PATTERN.search(rule):
        return LOC_01.block("steering")
    return LOC_01.allow("consumer_choice")

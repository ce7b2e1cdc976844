"""Rules for things of value between the company and its referral partners (RSP-01)."""

import re
from fractions import Fraction

from rooftree.compliance.gate.verdict import Rule, Ruling

type Share = int | float | Fraction

RSP_01 = Rule(id="RSP-01", cite="12 USC 2607; 12 CFR 1024.14")
OUTCOME_BASIS = re.compile(
    r"per_(closed|funded|application|app|locked|approved)|contingent|success"
)
VOLUME_BASIS = re.compile(r"referral|varies|volume|closed|funded")
LEAD_SELLERS = frozenset({"lead_vendor", "comparison_platform", "advertiser"})


def check_payment(
    *, payee: str, basis: str, endorses_us: bool = False, is_fair_value: bool = False
) -> Ruling:
    """Decide whether the company can pay this party on this basis.

    Args:
        basis: the basis of the amount, such as flat_per_lead or per_closed_loan.
        is_fair_value: a fair-market-value study is on file.
    """
    if payee.startswith("own_employee"):
        return RSP_01.require("employer_exception_review")
    if "rank" in basis or "placement" in basis or "steer" in basis:
        return RSP_01.block("steering_payment")
    if basis.startswith("msa") and not VOLUME_BASIS.search(basis):
        return RSP_01.require("counsel_review_msa")
    if OUTCOME_BASIS.search(basis) or VOLUME_BASIS.search(basis):
        is_lead_sale = payee in LEAD_SELLERS and not endorses_us
        return RSP_01.block("contingent_on_outcome" if is_lead_sale else "referral_fee")
    if basis == "flat_per_lead" and is_fair_value and not endorses_us and payee in LEAD_SELLERS:
        return RSP_01.allow("lead_purchase")
    is_per_head = basis.startswith("per_") and payee not in LEAD_SELLERS
    if endorses_us or is_per_head:
        return RSP_01.block("referral_fee")
    return RSP_01.require("counsel_review_msa")


def refuse_gift() -> Ruling:
    """Block anything free to a partner: it is a thing of value."""
    return RSP_01.block("thing_of_value")


def check_co_marketing(*, our_cost_share: Share, our_benefit_share: Share) -> Ruling:
    """Block a cost share of joint advertising above the company's share of the benefit."""
    if our_cost_share > our_benefit_share:
        return RSP_01.block("thing_of_value")
    return RSP_01.allow("proportionate_share")

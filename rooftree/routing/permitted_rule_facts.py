"""The facts a routing rule can use, and the reasons others are refused.

Source of rule: FLR-01 (15 USC 1691 and 12 CFR 1002.4(a), 1002.6(b); 42 USC 3605)
and, for an officer's own pay, LOC-01 (12 CFR 1026.36(d)-(e)).
"""

from rooftree.compliance.fair_lending import officer_pay_rules, permitted_factors
from rooftree.compliance.gate.verdict import Decision

PERMITTED_CRITERIA = {
    "sources": "the source of the lead",
    "purposes": "the loan purpose",
    "states": "the state of the property, because a license is needed there",
    "without_state": "no property state is known yet",
    "languages": "the language the borrower asked for",
    "amount_from_cents": "the smallest loan amount",
    "amount_below_cents": "an exclusive upper limit of the loan amount",
    "credit_bands": "self-reported credit",
    "score_at_least": "the score",
    "inquiry": "a new or repeat inquiry",
    "hours": "the day and time of arrival, by the company's clock",
}

# Why a field is refused, by the reason code of `permitted_factors.check_factor`.
REFUSAL_REASONS = {
    "prohibited_basis": "the law prohibits decisions based on it",
    "state_protected_class": "many states prohibit decisions based on it",
    "proxy_geography": "it is a proxy for the people who live there",
    "proxy_national_origin": "it is a proxy for national origin",
}


def refusal_of_field(field: str) -> str | None:
    """Return why a rule can't use `field`, as a sentence for staff; None if it can."""
    if field in PERMITTED_CRITERIA:
        return None
    name = field.replace("_", " ")
    fair = permitted_factors.check_factor(use="route", field=field.lower())
    if fair.decision is Decision.BLOCK:
        return (
            f"A rule can't use {name}: {REFUSAL_REASONS[fair.reason]} ({fair.rule}, {fair.cite})."
        )
    pay = officer_pay_rules.check_routing_rule(field.lower())
    if pay.decision is Decision.BLOCK:
        return (
            f"A rule can't use {name}: officer pay can't steer borrowers ({pay.rule}, {pay.cite})."
        )
    return (
        f"A rule can't use {name}: only facts reviewed for fair lending are allowed "
        f"({fair.rule}, {fair.cite})."
    )


def equal_wait_sentence() -> str:
    """Return why a language can't give officers more time, as part of a sentence."""
    ruling = permitted_factors.check_factor(use="sla", field="language")
    return f"a borrower's language can't make the wait longer ({ruling.rule}, {ruling.cite})"

"""What may decide who answers a borrower, and what never may.

Source of rule: FLR-01 (15 USC 1691 and 12 CFR 1002.4(a), 1002.6(b); 42 USC 3605)
and, for an officer's own pay, LOC-01 (12 CFR 1026.36(d)-(e)).
"""

from rooftree.compliance.fair_lending import officer_pay_rules, permitted_factors
from rooftree.compliance.gate.verdict import Decision

PERMITTED_CRITERIA = {
    "sources": "who sent the lead",
    "purposes": "what the loan is for",
    "states": "the state of the property, because a license is needed there",
    "without_state": "no property state is known yet",
    "languages": "the language the borrower asked for",
    "amount_from_cents": "the smallest loan amount",
    "amount_below_cents": "the loan amount it stays below",
    "credit_bands": "the credit standing the borrower stated",
    "score_at_least": "the score",
    "inquiry": "a first or a repeated inquiry",
    "hours": "the day and time it arrives, by the company's clock",
}

# Why a field is refused, by the reason that `fair_lending.use` gives.
REFUSAL_REASONS = {
    "prohibited_basis": "the law forbids deciding by it",
    "state_protected_class": "the law of many states forbids deciding by it",
    "proxy_geography": "it stands in for who lives there",
    "proxy_national_origin": "it stands in for where a borrower's family comes from",
}


def refusal_of_field(field: str) -> str | None:
    """Why a rule may not look at `field`, as a sentence for staff; None when it may."""
    if field in PERMITTED_CRITERIA:
        return None
    said = field.replace("_", " ")
    fair = permitted_factors.check_factor(use="route", field=field.lower())
    if fair.decision is Decision.BLOCK:
        return (
            f"A rule may not look at {said}: {REFUSAL_REASONS[fair.reason]} "
            f"({fair.rule}, {fair.cite})."
        )
    pay = officer_pay_rules.check_routing_rule(field.lower())
    if pay.decision is Decision.BLOCK:
        return (
            f"A rule may not look at {said}: what an officer is paid may not steer borrowers "
            f"({pay.rule}, {pay.cite})."
        )
    return (
        f"A rule cannot look at {said}: only facts reviewed for fair lending may be used "
        f"({fair.rule}, {fair.cite})."
    )


def equal_wait_sentence() -> str:
    """Why nobody waits longer for the language they asked for."""
    ruling = permitted_factors.check_factor(use="sla", field="language")
    return f"a language finds who speaks it and never waits longer ({ruling.rule}, {ruling.cite})"

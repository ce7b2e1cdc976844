"""A file that is denied, incomplete, suspended or withdrawn gets no marketing (RGB-01)."""

from rooftree.compliance.gate.facts import Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

# The clause that the creditor's notice is in; that marketing stops with it is the house's rule.
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.9; house: no marketing runs ahead of the notice")
# What the LOS calls a file, or what we told them ourselves. A suspended one is alive.
STOPPING_STATUSES = ("denied", "pre_deny", "counter_offer", "incomplete", "suspended", "withdrawn")
TOLD_NO = "told_no"


def check_credit_stop(facts: Facts) -> Ruling | None:
    """Nothing that sells goes while a decision stands against the file, or its notice is owed.

    A call by hand is left to the officer, and so is writing by hand about a file
    that is only suspended: somebody must ask for what is missing.
    """
    stands = get_fact(facts.credit_stop, "credit_stop")
    if not stands:
        return None
    sells = get_fact(facts.purpose, "purpose") is Purpose.MARKETING or get_fact(
        facts.has_promo, "promo"
    )
    if not sells:
        return None
    if not get_fact(facts.is_automated, "is_automated"):
        is_call = get_fact(facts.medium, "medium") is Medium.CALL
        if is_call or stands == "suspended":
            return None
    return RGB_01.block(f"file_{stands}")

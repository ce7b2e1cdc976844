"""A file that is denied, incomplete, suspended or withdrawn gets no marketing (RGB-01)."""

from rooftree.compliance.facts import Facts, Medium, Purpose, known
from rooftree.compliance.verdict import Rule, Ruling

# The clause that the creditor's notice is in; that marketing stops with it is the house's rule.
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.9; house: no marketing runs ahead of the notice")
# What the LOS calls a file, or what we told them ourselves. A suspended one is alive.
STOPPING = ("denied", "pre_deny", "counter_offer", "incomplete", "suspended", "withdrawn")
TOLD_NO = "told_no"


def decide(facts: Facts) -> Ruling | None:
    """Nothing that sells goes while a decision stands against the file, or its notice is owed.

    A call by hand is left to the officer, and so is writing by hand about a file
    that is only suspended: somebody must ask for what is missing.
    """
    stands = known(facts.credit_stop, "credit_stop")
    if not stands:
        return None
    sells = known(facts.purpose, "purpose") is Purpose.MARKETING or known(facts.has_promo, "promo")
    if not sells:
        return None
    if not known(facts.is_automated, "is_automated"):
        is_call = known(facts.medium, "medium") is Medium.CALL
        if is_call or stands == "suspended":
            return None
    return RGB_01.block(f"file_{stands}")

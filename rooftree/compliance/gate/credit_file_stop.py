"""The stop of messages about a denied, suspended, withdrawn or unmapped application (RGB-01)."""

from rooftree.compliance.gate.facts import Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

# The creditor's notice is in 12 CFR 1002.9; stopping marketing with it is a house rule.
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.9; house: no marketing runs ahead of the notice")
# Statuses from the LOS, besides a decline by staff. A suspended application is still active.
STOPPING_STATUSES = ("denied", "pre_deny", "counter_offer", "incomplete", "suspended", "withdrawn")
TOLD_NO = "told_no"
UNMAPPED = "unmapped"  # the LOS sent a status with no meaning here; it can be a denial
SEPARATOR = "+"  # between the status of a stopped file and UNMAPPED, where both hold
PAUSED_PURPOSES = frozenset({Purpose.MARKETING, Purpose.INFORMATIONAL, Purpose.TRANSACTIONAL})


def check_credit_stop(facts: Facts) -> Ruling | None:
    """Block marketing while the application is decided against or its notice is due.

    The officer can still call by hand, and can write by hand about an application that is only
    suspended: staff must request the missing items. While the status of any loan is unmapped,
    every automatic message but a confirmation or a notice waits until somebody maps it.
    """
    stands = get_fact(facts.credit_stop, "credit_stop")
    statuses = stands.split(SEPARATOR) if stands else []
    for status in statuses:
        if status != UNMAPPED and (ruling := _check_file_status(status, facts)):
            return ruling
    is_paused = (
        UNMAPPED in statuses
        and get_fact(facts.is_automated, "is_automated")
        and get_fact(facts.purpose, "purpose") in PAUSED_PURPOSES
    )
    return RGB_01.require("loan_status_unmapped") if is_paused else None


def _check_file_status(status: str, facts: Facts) -> Ruling | None:
    """Block marketing about a stopped file, but for what the officer does by hand."""
    is_marketing = get_fact(facts.purpose, "purpose") is Purpose.MARKETING or get_fact(
        facts.has_promo, "promo"
    )
    if not is_marketing:
        return None
    if not get_fact(facts.is_automated, "is_automated"):
        is_call = get_fact(facts.medium, "medium") is Medium.CALL
        if is_call or status == "suspended":
            return None
    return RGB_01.block(f"file_{status}")

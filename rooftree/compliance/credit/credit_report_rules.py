"""Rules for pulling credit reports and for prescreened offers (FCR-01, FCR-02)."""

from rooftree.compliance.gate.verdict import Rule, Ruling

FCR_01 = Rule(id="FCR-01", cite="15 USC 1681b(a)(2),(a)(3)(A),(F)")
PRESCREEN_RULE = Rule(id="FCR-01", cite="15 USC 1681b(c)(1)(B)(i)")
FCR_02 = Rule(id="FCR-02", cite="15 USC 1681b(c); 15 USC 1681m(d); 12 CFR 1022.54")


def check_pull(*, has_written_instructions: bool, is_started_by_consumer: bool) -> Ruling:
    """Allow a pull only on written instructions or in a transaction the consumer started."""
    if has_written_instructions:
        return FCR_01.allow("consumer_instruction")
    if is_started_by_consumer:
        return FCR_01.allow("consumer_initiated_transaction")
    return FCR_01.block("no_permissible_purpose")


def check_report_data_purpose(*, purpose: str, is_firm_offer: bool) -> Ruling:
    """Allow a seller's consumer report data only for a permissible purpose that is on file.

    Args:
        purpose: as reviewed in the seller's terms; "" if none is on file.
        is_firm_offer: the seller sells a bureau's list and its criteria are on file.
    """
    if is_firm_offer:
        return PRESCREEN_RULE.allow("firm_offer_on_file")
    return check_pull(
        has_written_instructions=purpose == "instructions",
        is_started_by_consumer=purpose == "application",
    )


def check_prescreened_offer(*, has_notices: bool, keeps_criteria: bool) -> Ruling:
    """Require a firm offer to have both opt-out notices and to be honored by its criteria."""
    if not has_notices:
        return FCR_02.block("prescreen_optout_notice_missing")
    if not keeps_criteria:
        return FCR_02.block("not_a_firm_offer")
    return FCR_02.allow("prescreen_notice_ok")

"""Rules for the facts used in scores, routing, service levels and ad audiences (FLR-01)."""

import re
from datetime import date

from rooftree.compliance.gate.rulebook import RULE_DATA
from rooftree.compliance.gate.verdict import Rule, Ruling

FLR_01 = Rule(id="FLR-01", cite="12 CFR 1002.4(a); 12 CFR 1002.6(b); 42 USC 3605; state law")
RATIO_LIMIT = 1.25  # house limit: a higher ratio goes to review
SPCP_RESTRICTED_FROM: date = RULE_DATA["federal"]["reg_b_2026"]["effective"]
_WORD_PATTERN = r"(^|_)({})(_|$)"
PROHIBITED_BASIS = re.compile(
    _WORD_PATTERN.format(
        "race|ethnic\\w*|color|religio\\w*|national_origin|nationality|ancestry|citizenship|"
        "immigra\\w*|sex|gender|"
        "gender_identity|sexual_orientation|orientation|pregnan\\w*|marital_status|marital|married|"
        "spouse|(?<!loan_)(?<!mortgage_)(?<!lead_)(?<!home_)(?<!file_)age|birth\\w*|date_of_birth|dob|"
        "public_assistance|section_8|welfare|familial|children|kids|household_size|disab\\w*|"
        "handicap|exercised\\w*|rights\\w*|complain\\w*|disput\\w*|complaint_filed"
    )
)
NATIONAL_ORIGIN_PROXY = re.compile(
    _WORD_PATTERN.format(
        "surname|last_name|given_name|first_name|name|accent|photo|device_language|locale"
    )
)
LANGUAGE_FIELD = re.compile(
    _WORD_PATTERN.format("language|preferred_language|language_preference|english_proficiency|lep")
)
GEOGRAPHY_FIELD = re.compile(
    _WORD_PATTERN.format(
        "zip\\w*|postal\\w*|tract|census|neighborhood|city|street|area_code|county|school|block_group"
    )
)
MILITARY_FIELD = re.compile(
    _WORD_PATTERN.format(
        "veterans?|military|servicemember|active_duty|reservist|national_guard|va|gi_bill|"
        "entitlement|coe|certificate_of_eligibility"
    )
)
CREDIT_FIELD = re.compile(
    _WORD_PATTERN.format(
        "credit|fico|credit_band|income|dti|ltv|loan_amount|loan_purpose|down_payment|equity|"
        "property_value|purchase_price|self_reported|employment|assets|loan|product"
    )
)
BEHAVIOR_FIELD = re.compile(
    _WORD_PATTERN.format(
        "visits|visited|clicks|opens|reply|replies|replied|answered|calls|page|pages|form|"
        "inquiries|source|recency|touches|days|timeline|appointment|time_on_site|sessions"
    )
)

# Facts with unclear names, each reviewed by staff, with the reason it can be used.
REVIEWED_FIELDS = {
    "purpose": "creditworthiness_factor",
    "amount_cents": "creditworthiness_factor",
    "found_home": "creditworthiness_factor",
    "signed_contract": "creditworthiness_factor",
    "is_repeat": "behavioural_factor",
    "score": "behavioural_factor",  # made only of reviewed facts
    "day": "behavioural_factor",  # of arrival
    "clock": "behavioural_factor",
}


def check_factor(*, use: str, field: str, why: str = "", direction: str = "") -> Ruling:
    """Decide whether a fact about a person can be used for a purpose.

    Args:
        use: score, route, sla, ad_audience, product_fit.
        why: license (or licence) or language, if that is the reason for the field.
        direction: of a score, lower or higher; or the product offered.
    """
    if re.search(r"surname|first_name|given_name|ethnicity_model", field):
        return FLR_01.block("proxy_national_origin")
    if PROHIBITED_BASIS.search(field):
        return FLR_01.block("prohibited_basis")
    if field in REVIEWED_FIELDS:
        return FLR_01.allow(REVIEWED_FIELDS[field])
    if field in ("property_state", "state") and (why in ("licence", "license") or use == "route"):
        return FLR_01.allow("legitimate_need")
    if MILITARY_FIELD.search(field):
        if use == "product_fit" and direction != "lower":
            return FLR_01.allow("eligibility_factor")
        return FLR_01.block("state_protected_class")
    # A stated preference finds an officer who speaks the language; it never ranks anyone.
    if LANGUAGE_FIELD.search(field) and "device" not in field and use == "route":
        return FLR_01.allow("consumer_choice")
    return _check_proxy(field)


def _check_proxy(field: str) -> Ruling:
    if LANGUAGE_FIELD.search(field) and "device" not in field:
        return FLR_01.block("proxy_national_origin")
    if GEOGRAPHY_FIELD.search(field):
        return FLR_01.block("proxy_geography")
    if NATIONAL_ORIGIN_PROXY.search(field):
        return FLR_01.block("proxy_national_origin")
    if CREDIT_FIELD.search(field):
        return FLR_01.allow("creditworthiness_factor")
    if BEHAVIOR_FIELD.search(field):
        return FLR_01.allow("behavioural_factor")
    return FLR_01.require("fair_lending_review")


def check_outcome_ratio(*, ratio: float) -> Ruling:
    """Require a fair-lending review if a monthly comparison exceeds the limit."""
    if ratio > RATIO_LIMIT:
        return FLR_01.require("fair_lending_review")
    return FLR_01.allow("legitimate_need")


def check_special_program(*, basis: str, is_for_profit: bool, on: date) -> Ruling:
    """Block lenders' special-purpose programs on these bases, which ended in July 2026."""
    is_barred = bool(re.search(r"race|color|national_origin|sex|gender", basis))
    if is_for_profit and is_barred and on >= SPCP_RESTRICTED_FROM:
        return FLR_01.block("spcp_restricted_2026")
    return FLR_01.require("fair_lending_review")

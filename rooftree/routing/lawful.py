"""What may decide who answers a borrower, and what never may.

Source of rule: FLR-01 (15 USC 1691 and 12 CFR 1002.4(a), 1002.6(b); 42 USC 3605)
and, for an officer's own pay, LOC-01 (12 CFR 1026.36(d)-(e)).
"""

CRITERIA = {
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

_NEIGHBORHOOD = "it stands in for who lives there"
_ORIGIN = "it stands in for where a borrower's family comes from"
_PAY = "a loan officer's pay may not steer borrowers, rule LOC-01"
_PROTECTED = "the law forbids deciding by it"

FORBIDDEN = {
    "race": _PROTECTED,
    "color": _PROTECTED,
    "religion": _PROTECTED,
    "national_origin": _PROTECTED,
    "ethnicity": _PROTECTED,
    "sex": _PROTECTED,
    "gender": _PROTECTED,
    "gender_identity": _PROTECTED,
    "sexual_orientation": _PROTECTED,
    "marital_status": _PROTECTED,
    "age": _PROTECTED,
    "date_of_birth": _PROTECTED,
    "public_assistance": _PROTECTED,
    "rights_exercised": _PROTECTED,
    "familial_status": _PROTECTED,
    "children_in_household": _PROTECTED,
    "disability": _PROTECTED,
    "military": _PROTECTED,
    "veteran": _PROTECTED,
    "zip": _NEIGHBORHOOD,
    "zips": _NEIGHBORHOOD,
    "property_zip": _NEIGHBORHOOD,
    "city": _NEIGHBORHOOD,
    "property_city": _NEIGHBORHOOD,
    "county": _NEIGHBORHOOD,
    "tract": _NEIGHBORHOOD,
    "street": _NEIGHBORHOOD,
    "neighborhood": _NEIGHBORHOOD,
    "area_code": _NEIGHBORHOOD,
    "school": _NEIGHBORHOOD,
    "surname": _ORIGIN,
    "last_name": _ORIGIN,
    "first_name": _ORIGIN,
    "given_name": _ORIGIN,
    "name": _ORIGIN,
    "photo": _ORIGIN,
    "device_language": _ORIGIN,
    "email_domain": "nobody has shown yet that it does not stand in for something forbidden",
    "compensation": _PAY,
    "commission": _PAY,
}


def refusal(field: str) -> str | None:
    """Why a rule may not look at `field`, as a sentence for staff; None when it may."""
    if field in CRITERIA:
        return None
    said = field.replace("_", " ")
    why = FORBIDDEN.get(field.lower())
    if why:
        return f"A rule may not look at {said}: {why} (FLR-01)."
    return f"A rule cannot look at {said}: only facts reviewed for fair lending may be used."

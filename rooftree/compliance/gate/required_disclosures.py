"""Required parts of every message: NMLS IDs, license wording, opt-out (LIC-01, TEN-01)."""

import re
from dataclasses import replace

from rooftree.compliance.gate import license_wording
from rooftree.compliance.gate.facts import Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.license_checks import latest_local_date
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.us_states import STATES

LIC_01 = Rule(id="LIC-01", cite="12 CFR 1007.105; 12 CFR 1008; state advertising rules")
TEN_01 = Rule(id="TEN-01", cite="CTIA Messaging Principles; carrier contract")
OPT_OUT_WORDING = re.compile(r"\b(STOP|ALTO|PARAR)\b|\bopt[ -]?out\b", re.IGNORECASE)
NMLS_ID = re.compile(
    r"NMLS\s{0,4}(?:ID)?\s{0,4}[#:.]?\s{0,4}(?:no\.?\s{0,4})?(\d{3,12})", re.IGNORECASE
)
WRITTEN_MEDIA = frozenset({Medium.TEXT, Medium.EMAIL, Medium.MAIL})
# Short messages within a conversation.
EXEMPT_PURPOSES = frozenset({Purpose.CONFIRMATION, Purpose.REPLY})


def extract_nmls_ids(text: str) -> frozenset[str]:
    """Return the NMLS IDs that a text states."""
    return frozenset(NMLS_ID.findall(text))


def check_nmls_ids(facts: Facts) -> Ruling | None:
    """Require the company's NMLS ID, and the officer's when an officer signs."""
    if (
        get_fact(facts.medium, "medium") not in WRITTEN_MEDIA
        or get_fact(facts.purpose, "purpose") in EXEMPT_PURPOSES
    ):
        return None
    company, officer = get_fact(facts.company, "company"), get_fact(facts.officer, "officer")
    required = {company.nmls_id} if officer is None else {company.nmls_id, officer.nmls_id}
    if required <= extract_nmls_ids(get_fact(facts.text, "text")):
        return LIC_01.allow("licensed")
    return LIC_01.require("add_nmls_ids")


def check_license_wording(facts: Facts) -> Ruling | None:
    """Require the license wording of the property's state.

    A depository lends under its charter, and state licensing law doesn't apply to its messages.
    """
    if (
        get_fact(facts.medium, "medium") not in WRITTEN_MEDIA
        or get_fact(facts.purpose, "purpose") in EXEMPT_PURPOSES
    ):
        return None
    company, state = (
        get_fact(facts.company, "company"),
        get_fact(facts.property_state, "property_state"),
    )
    if state is None or company.is_depository:
        return None
    state_license = company.license_there
    details = license_wording.CompanyDetails(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=get_fact(facts.postal_address, "postal_address") or "",
        number=state_license.number if state_license else "",
        license=state_license.license if state_license else "",
    )
    today = latest_local_date(state, get_fact(facts.at, "at"))
    medium = get_fact(facts.medium, "medium")
    required = license_wording.required_wording(state, medium, details, on=today)
    if required is None:
        return None
    rule = Rule(id=LIC_01.id, cite=required.cite)
    if required.missing:
        return replace(
            rule.require("license_words_not_on_file"),
            detail=license_wording.explain_missing_details(state, required.missing),
        )
    if license_wording.contains_wording(required.words, get_fact(facts.text, "text")):
        return rule.allow("licensed")
    return replace(
        rule.require("add_license_words"),
        detail=f"Add the {STATES[state]} license wording: “{required.words}”.",
    )


def check_opt_out_wording(facts: Facts) -> Ruling | None:
    """Require opt-out instructions in the first text of a thread."""
    is_confirmation = get_fact(facts.purpose, "purpose") == Purpose.CONFIRMATION
    if get_fact(facts.medium, "medium") != Medium.TEXT or is_confirmation:
        return None
    is_first = get_fact(facts.is_first_message, "is_first_message")
    if is_first and not OPT_OUT_WORDING.search(get_fact(facts.text, "text")):
        return TEN_01.require("add_optout_text")
    return TEN_01.allow("template_ok")

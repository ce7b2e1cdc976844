"""What every message must carry: who we are, our license, and how to end it (LIC-01, TEN-01)."""

import re
from dataclasses import replace

from rooftree.compliance import license_wording
from rooftree.compliance.entitlement import local_date
from rooftree.compliance.facts import Facts, Medium, Purpose, known
from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.states import STATES

LIC_01 = Rule(id="LIC-01", cite="12 CFR 1007.105; 12 CFR 1008; state advertising rules")
TEN_01 = Rule(id="TEN-01", cite="CTIA Messaging Principles; carrier contract")
OPT_OUT = re.compile(r"\b(STOP|ALTO|PARAR)\b|\bopt[ -]?out\b", re.IGNORECASE)
IDS = re.compile(r"NMLS\s*(?:ID)?\s*[#:.]?\s*(?:no\.?\s*)?(\d{3,12})", re.IGNORECASE)
WRITTEN = frozenset({Medium.TEXT, Medium.EMAIL, Medium.MAIL})
BARE = frozenset({Purpose.CONFIRMATION, Purpose.REPLY})  # a few words in a running exchange


def ids_in(text: str) -> frozenset[str]:
    """They are the NMLS ids that a text states."""
    return frozenset(IDS.findall(text))


def nmls_ids(facts: Facts) -> Ruling | None:
    """The company's id, and the officer's when an officer signs."""
    if known(facts.medium, "medium") not in WRITTEN or known(facts.purpose, "purpose") in BARE:
        return None
    company, officer = known(facts.company, "company"), known(facts.officer, "officer")
    wanted = {company.nmls_id} if officer is None else {company.nmls_id, officer.nmls_id}
    if wanted <= ids_in(known(facts.text, "text")):
        return LIC_01.allow("licensed")
    return LIC_01.require("add_nmls_ids")


def license_words(facts: Facts) -> Ruling | None:
    """What the property's state wants said of the company's license there.

    A depository lends under its charter, and no state's licensing law reaches its messages.
    """
    if known(facts.medium, "medium") not in WRITTEN or known(facts.purpose, "purpose") in BARE:
        return None
    company, state = known(facts.company, "company"), known(facts.property_state, "property_state")
    if state is None or company.is_depository:
        return None
    there = company.license_there
    us = license_wording.Us(
        nmls_id=company.nmls_id,
        website=company.website,
        phone=company.phone,
        address=known(facts.postal_address, "postal_address") or "",
        number=there.number if there else "",
        license=there.license if there else "",
    )
    today = local_date(state, known(facts.at, "at"))
    demand = license_wording.demanded(state, known(facts.medium, "medium"), us, on=today)
    if demand is None:
        return None
    rule = Rule(id=LIC_01.id, cite=demand.cite)
    if demand.lacks:
        return replace(
            rule.require("license_words_not_on_file"),
            detail=license_wording.not_on_file(state, demand.lacks),
        )
    if license_wording.is_said(demand.words, known(facts.text, "text")):
        return rule.allow("licensed")
    return replace(
        rule.require("add_license_words"),
        detail=f"{STATES[state]} wants every message to say “{demand.words}”, and it does not.",
    )


def opt_out_words(facts: Facts) -> Ruling | None:
    """The first text of a thread tells how to stop them."""
    is_confirmation = known(facts.purpose, "purpose") == Purpose.CONFIRMATION
    if known(facts.medium, "medium") != Medium.TEXT or is_confirmation:
        return None
    is_first = known(facts.is_first_message, "is_first_message")
    if is_first and not OPT_OUT.search(known(facts.text, "text")):
        return TEN_01.require("add_optout_text")
    return TEN_01.allow("template_ok")

"""What every message must carry: NMLS ids, and how to make it stop (LIC-01, TEN-01)."""

import re

from rooftree.compliance.facts import Facts, Medium, Purpose, known
from rooftree.compliance.verdict import Rule, Ruling

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


def opt_out_words(facts: Facts) -> Ruling | None:
    """The first text of a thread tells how to stop them."""
    is_confirmation = known(facts.purpose, "purpose") == Purpose.CONFIRMATION
    if known(facts.medium, "medium") != Medium.TEXT or is_confirmation:
        return None
    is_first = known(facts.is_first_message, "is_first_message")
    if is_first and not OPT_OUT.search(known(facts.text, "text")):
        return TEN_01.require("add_optout_text")
    return TEN_01.allow("template_ok")

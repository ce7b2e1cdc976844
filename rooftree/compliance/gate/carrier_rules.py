"""Carrier rules for texts: registered brand, no public short links, own opt-ins (TEN-01)."""

import re

from rooftree.compliance.gate.facts import Facts, Medium, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

TEN_01 = Rule(
    id="TEN-01", cite="CTIA Messaging Principles; The Campaign Registry; carrier contract"
)
SHORTENER_DOMAINS = (
    "bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "cutt.ly", "rebrand.ly",
)  # fmt: skip
# Looks back from each slash: a tenth of the time of looking for the domains.
SHORTENER = re.compile(
    f"/({'|'.join(rf'(?<=\b{re.escape(domain)}/)' for domain in SHORTENER_DOMAINS)})",
    re.IGNORECASE,
)
LENDING_ATTRIBUTES = frozenset({"direct_lending", "direct_lending_or_loan_arrangement"})
SHARED_CONSENT = re.compile(r"shared|third[ _-]?party|purchased[ _-]?list|affiliate")


def check_brand(facts: Facts) -> Ruling | None:
    """Require a brand registered under the lender's own tax number."""
    if get_fact(facts.medium, "medium") != Medium.TEXT:
        return None
    if get_fact(facts.is_brand_registered, "is_brand_registered"):
        return TEN_01.allow("template_ok")
    return TEN_01.block("brand_not_registered")


def check_attributes(facts: Facts) -> Ruling | None:
    """Require a campaign registered for lending."""
    if get_fact(facts.medium, "medium") != Medium.TEXT:
        return None
    if LENDING_ATTRIBUTES & frozenset(get_fact(facts.campaign_attributes, "campaign_attributes")):
        return TEN_01.allow("template_ok")
    return TEN_01.block("direct_lending_attribute_missing")


def check_links(facts: Facts) -> Ruling | None:
    """Block a text with a public link shortener."""
    if get_fact(facts.medium, "medium") != Medium.TEXT:
        return None
    if SHORTENER.search(get_fact(facts.text, "text")):
        return TEN_01.block("public_shortener")
    return TEN_01.allow("template_ok")


def check_opt_in(facts: Facts) -> Ruling | None:
    """Block consent that was given to another company: carriers don't accept it."""
    if get_fact(facts.medium, "medium") != Medium.TEXT:
        return None
    if SHARED_CONSENT.search(get_fact(facts.optin_source, "optin_source")):
        return TEN_01.block("consent_sharing")
    return TEN_01.allow("template_ok")


def check_broker(facts: Facts) -> Ruling | None:
    """Block a broker's text on a carrier that accepts only direct lenders."""
    if get_fact(facts.medium, "medium") != Medium.TEXT:
        return None
    is_broker = get_fact(facts.company_kind, "company_kind") == "broker"
    if is_broker and get_fact(facts.carrier_policy, "carrier_policy") == "direct_lenders_only":
        return TEN_01.block("provider_refuses_third_party_lending")
    return TEN_01.allow("template_ok")

"""What the carriers of texts demand: registered brand, honest links, own opt-ins (TEN-01)."""

import re

from rooftree.compliance.facts import Facts, Medium, known
from rooftree.compliance.needles import Detector, Vocabulary
from rooftree.compliance.verdict import Rule, Ruling

TEN_01 = Rule(
    id="TEN-01", cite="CTIA Messaging Principles; The Campaign Registry; carrier contract"
)
SHORTENER = Detector.of(
    r"\b(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|cutt\.ly|rebrand\.ly)/"
)
HOSTS = Vocabulary([SHORTENER])
LENDING = frozenset({"direct_lending", "direct_lending_or_loan_arrangement"})
SHARED = re.compile(r"shared|third[ _-]?party|purchased[ _-]?list|affiliate")


def brand(facts: Facts) -> Ruling | None:
    """The brand is registered under the lender's own tax number."""
    if known(facts.medium, "medium") != Medium.TEXT:
        return None
    if known(facts.is_brand_registered, "is_brand_registered"):
        return TEN_01.allow("template_ok")
    return TEN_01.block("brand_not_registered")


def attributes(facts: Facts) -> Ruling | None:
    """The campaign says that it is about lending."""
    if known(facts.medium, "medium") != Medium.TEXT:
        return None
    if LENDING & frozenset(known(facts.campaign_attributes, "campaign_attributes")):
        return TEN_01.allow("template_ok")
    return TEN_01.block("direct_lending_attribute_missing")


def links(facts: Facts) -> Ruling | None:
    """No public link shortener in a text."""
    if known(facts.medium, "medium") != Medium.TEXT:
        return None
    text = known(facts.text, "text")
    if SHORTENER.search(text, HOSTS.held(text)):
        return TEN_01.block("public_shortener")
    return TEN_01.allow("template_ok")


def opt_in(facts: Facts) -> Ruling | None:
    """Carriers accept no consent that was given to somebody else."""
    if known(facts.medium, "medium") != Medium.TEXT:
        return None
    if SHARED.search(known(facts.optin_source, "optin_source")):
        return TEN_01.block("consent_sharing")
    return TEN_01.allow("template_ok")


def broker(facts: Facts) -> Ruling | None:
    """Some carriers take direct lenders only."""
    if known(facts.medium, "medium") != Medium.TEXT:
        return None
    is_broker = known(facts.company_kind, "company_kind") == "broker"
    if is_broker and known(facts.carrier_policy, "carrier_policy") == "direct_lenders_only":
        return TEN_01.block("provider_refuses_third_party_lending")
    return TEN_01.allow("template_ok")

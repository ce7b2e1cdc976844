"""Telemarketer registration, or the exemption on file, in each state (REG-01)."""

from rooftree.compliance.gate import person_places
from rooftree.compliance.gate.consent_check import has_written_consent
from rooftree.compliance.gate.facts import PHONE_MEDIA, Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

REG_01 = Rule(id="REG-01", cite="Tex. Bus. & Com. Code ch. 302; Fla. Stat. 501.605; 15 O.S. 775A.3")
# States that register telephone sellers and are named by the rulebook; about 32 more or less.
REGISTERING_STATES = frozenset({"TX", "FL", "OK", "WA", "AZ", "NJ", "ID", "TN"})


def check_registration(facts: Facts) -> Ruling | None:
    """Marketing by phone into a registering state needs a certificate or an exemption."""
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA or not is_marketing:
        return None
    held = get_fact(facts.registered_states, "registered_states")
    asked = [code for code in person_places.candidate_states(facts) if code in REGISTERING_STATES]
    if not asked:
        return REG_01.allow("state_clear")
    open_states = [code for code in asked if code not in held]
    if not open_states:
        return REG_01.allow("exemption_on_file")
    is_text = get_fact(facts.medium, "medium") == Medium.TEXT
    if open_states == ["TX"] and is_text and has_written_consent(facts):
        return REG_01.allow("consent_based_text_exempt")
    return REG_01.require("registration_or_exemption")

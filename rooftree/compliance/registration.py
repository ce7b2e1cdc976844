"""Telemarketer registration, or the exemption on file, in each state (REG-01)."""

from rooftree.compliance import places
from rooftree.compliance.consent import has_written
from rooftree.compliance.facts import PHONE, Facts, Medium, Purpose, known
from rooftree.compliance.verdict import Rule, Ruling

REG_01 = Rule(id="REG-01", cite="Tex. Bus. & Com. Code ch. 302; Fla. Stat. 501.605; 15 O.S. 775A.3")
# States that register telephone sellers and are named by the rulebook; about 32 more or less.
REGISTERING = frozenset({"TX", "FL", "OK", "WA", "AZ", "NJ", "ID", "TN"})


def decide(facts: Facts) -> Ruling | None:
    """Marketing by phone into a registering state needs a certificate or an exemption."""
    is_marketing = known(facts.purpose, "purpose") == Purpose.MARKETING
    if known(facts.medium, "medium") not in PHONE or not is_marketing:
        return None
    held = known(facts.registered_states, "registered_states")
    asked = [code for code in places.states(facts) if code in REGISTERING]
    if not asked:
        return REG_01.allow("state_clear")
    open_states = [code for code in asked if code not in held]
    if not open_states:
        return REG_01.allow("exemption_on_file")
    is_text = known(facts.medium, "medium") == Medium.TEXT
    if open_states == ["TX"] and is_text and has_written(facts):
        return REG_01.allow("consent_based_text_exempt")
    return REG_01.require("registration_or_exemption")

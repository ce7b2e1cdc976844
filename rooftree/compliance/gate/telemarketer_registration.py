"""Telemarketer registration, or an exemption on file, by state (REG-01)."""

from rooftree.compliance.gate import person_places
from rooftree.compliance.gate.consent_check import has_written_consent
from rooftree.compliance.gate.facts import PHONE_MEDIA, Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

REG_01 = Rule(id="REG-01", cite="Tex. Bus. & Com. Code ch. 302; Fla. Stat. 501.605; 15 O.S. 775A.3")
# States in the rulebook that register telephone sellers; about 32 states do.
REGISTERING_STATES = frozenset({"TX", "FL", "OK", "WA", "AZ", "NJ", "ID", "TN"})


def check_registration(facts: Facts) -> Ruling | None:
    """Require registration or an exemption for marketing by phone into a registering state."""
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA or not is_marketing:
        return None
    registered = get_fact(facts.registered_states, "registered_states")
    states = [code for code in person_places.candidate_states(facts) if code in REGISTERING_STATES]
    if not states:
        return REG_01.allow("state_clear")
    missing = [code for code in states if code not in registered]
    if not missing:
        return REG_01.allow("exemption_on_file")
    is_text = get_fact(facts.medium, "medium") == Medium.TEXT
    if missing == ["TX"] and is_text and has_written_consent(facts):
        return REG_01.allow("consent_based_text_exempt")
    return REG_01.require("registration_or_exemption")

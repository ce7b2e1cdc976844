"""The record of decisions: no send without one, and no edits (AUD-01)."""

from rooftree.compliance.gate.facts import Facts, get_fact
from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.compliance.gate.verdict import Rule, Ruling

AUD_01 = Rule(id="AUD-01", cite="16 CFR 310.5; 47 CFR 64.1200(c)(2)(i)(A)-(E)")
ENG_01 = Rule(id="ENG-01", cite="47 CFR 64.1200(c)(2)(i); house")


def check_recorded(facts: Facts) -> Ruling | None:
    """Block a message whose decision isn't recorded before the send."""
    if get_fact(facts.has_audit_row, "has_audit_row"):
        return AUD_01.allow("audited")
    return AUD_01.block("no_audit_record")


def check_rules_version(facts: Facts) -> Ruling | None:
    """Block a message decided under older rules than the published ones."""
    if get_fact(facts.rules_version, "rules_version") < RULES_VERSION:
        return ENG_01.block("rules_stale")
    return ENG_01.allow("audited")


def refuse_edit() -> Ruling:
    """Return the block for any attempt to change a recorded decision."""
    return AUD_01.block("append_only")

"""No record, no send; nothing recorded is ever changed (AUD-01)."""

from rooftree.compliance.gate.facts import Facts, get_fact
from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.compliance.gate.verdict import Rule, Ruling

AUD_01 = Rule(id="AUD-01", cite="16 CFR 310.5; 47 CFR 64.1200(c)(2)(i)(A)-(E)")
ENG_01 = Rule(id="ENG-01", cite="47 CFR 64.1200(c)(2)(i); house")


def check_recorded(facts: Facts) -> Ruling | None:
    """The decision is on record before the message goes."""
    if get_fact(facts.has_audit_row, "has_audit_row"):
        return AUD_01.allow("audited")
    return AUD_01.block("no_audit_record")


def check_rules_version(facts: Facts) -> Ruling | None:
    """The caller means to send under the rules now published."""
    if get_fact(facts.rules_version, "rules_version") < RULES_VERSION:
        return ENG_01.block("rules_stale")
    return ENG_01.allow("audited")


def refuse_edit() -> Ruling:
    """It is the answer to anyone who would change what is recorded."""
    return AUD_01.block("append_only")

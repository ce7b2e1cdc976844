"""The gate: every message to a person passes here, and nothing else decides.

All gates run, each on the same facts, and the strictest answer wins. A gate
that fails blocks, and so does any fact that nobody supplied. Order: record,
stops, file, source, license, consent, lists, emergency, hours, caps, content.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime

from rooftree.compliance import (
    audit,
    caps,
    carrier_rules,
    consent,
    credit_file,
    dnc,
    email_rules,
    emergency,
    entitlement,
    identification,
    lint,
    places,
    quiet_hours,
    reassigned,
    registration,
    revocation,
    trigger_leads,
)
from rooftree.compliance.facts import PHONE, UNKNOWN, FactMissing, Facts, known
from rooftree.compliance.reasons import sentence
from rooftree.compliance.verdict import Decision, Rule, Ruling, Verdict, headline

type Gate = Callable[[Facts], Ruling | list[Ruling] | None]

ENG_01 = Rule(id="ENG-01", cite="47 CFR 64.1200(c)(2)(i); house")
GATES: dict[str, Gate] = {
    "audit": audit.recorded,
    "rules": audit.current,
    "revocation": revocation.decide,
    "internal_dnc": dnc.internal,
    "reassigned": reassigned.decide,
    "credit_file": credit_file.decide,
    "trigger_basis": trigger_leads.basis,
    "trigger_state": trigger_leads.state_law,
    "prescreened": trigger_leads.prescreened,
    "license": entitlement.licensed,
    "owner": entitlement.owner,
    "activity": entitlement.may_do,
    "registration": registration.decide,
    "consent": consent.decide,
    "national_dnc": dnc.national,
    "state_dnc": dnc.state,
    "emergency": emergency.decide,
    "hours": quiet_hours.decide,
    "caps": caps.decide,
    "nmls_ids": identification.nmls_ids,
    "license_words": identification.license_words,
    "opt_out_words": identification.opt_out_words,
    "approval": lint.approval,
    "content": lint.decide,
    "links": carrier_rules.links,
    "brand": carrier_rules.brand,
    "attributes": carrier_rules.attributes,
    "opt_in": carrier_rules.opt_in,
    "broker": carrier_rules.broker,
    "email_hours": email_rules.hours,
    "email_address": email_rules.address,
    "one_click": email_rules.one_click,
    "subject": email_rules.subject,
    "unsubscribe": email_rules.unsubscribe,
    "authentication": email_rules.authentication,
    "spam_rate": email_rules.spam_rate,
}
FACT_NAMES = tuple(one.name for one in fields(Facts))
ENFORCED = tuple(GATES)  # what production asks: everything

# What these rules ask for is a person's judgment; every other `require` asks for something to
# be done or found out, and no decision of anybody's stands in for that.
FOR_A_PERSON = lint.APPROVABLE | {
    "hold_for_human_review",
    "supervisor_approval_state_silent",
    "privacy_and_udaap_review",
}


def decide(facts: Facts) -> Verdict:
    """It is whether, and if not now when, this message may go; pure and repeatable.

    Raises nothing: a missing fact or a failing gate is a block.
    """
    names = ENFORCED if facts.asks is None else facts.asks
    asked = [ruling for name in names for ruling in _ask(name, facts)]
    rulings = [_as_decided(ruling, facts) for ruling in asked] if facts.answers else asked
    if facts.asks is None:
        rulings += [_failed(f"fact {name} is missing") for name in missing(facts)]
    return combine(rulings, facts)


def missing(facts: Facts) -> tuple[str, ...]:
    """They are the facts nobody supplied. Production facts are total: one missing is a block."""
    return tuple(name for name in FACT_NAMES if getattr(facts, name) is UNKNOWN)


def combine(rulings: list[Ruling], facts: Facts) -> Verdict:
    """It is the one verdict of many rulings: block, then require, then defer, then allow."""
    first = headline(rulings)
    if first is None:
        first = ENG_01.block("gate_failed_closed")
        rulings = [first]
    until = None
    if first.decision is Decision.DEFER:
        until = _next_allowed(rulings, facts)
        if until is None:
            first = places.ZON_01.require("no_common_window")
            rulings = [*rulings, first]
    return Verdict(
        decision=first.decision,
        reason=first.reason,
        sentence=sentence(first, until),
        rulings=tuple(rulings),
        next_allowed_at=until,
        deadline=first.deadline,
        house_deadline=first.house_deadline,
    )


def _ask(name: str, facts: Facts) -> list[Ruling]:
    try:
        said = GATES[name](facts)
    except Exception:  # ENG-01: a gate that fails in any way stops the message
        return [_failed(f"gate {name} failed")]
    if said is None:
        return []
    return said if isinstance(said, list) else [said]


def _as_decided(ruling: Ruling, facts: Facts) -> Ruling:
    """It is the ruling, or what a named person made of it where it asks for their judgment.

    A decision knows nothing of what the borrower wrote after it.
    """
    if ruling.decision is not Decision.REQUIRE or ruling.reason not in FOR_A_PERSON:
        return ruling
    at, wrote = known(facts.at, "at"), facts.inbound_at
    since = wrote if isinstance(wrote, datetime) else None
    decided = any(
        (one.rule, one.reason) == (ruling.rule, ruling.reason)
        and one.by
        and (since is None or since <= one.at)
        and one.at <= at
        for one in facts.answers
    )
    return (
        replace(ruling, decision=Decision.ALLOW, reason="decided_by_person") if decided else ruling
    )


def _failed(what: str) -> Ruling:
    return ENG_01.block("gate_failed_closed", f"{ENG_01.cite}; {what}")


def _next_allowed(rulings: list[Ruling], facts: Facts) -> datetime | None:
    """It is the first moment when no deferring rule objects, by the recipient's clocks."""
    moments = [one.next_allowed_at for one in rulings if one.next_allowed_at is not None]
    latest = max(moments)
    if known(facts.medium, "medium") not in PHONE:
        return latest.astimezone(known(facts.at, "at").tzinfo)
    try:
        where, send = quiet_hours.clocks(facts), quiet_hours.send_of(facts)
        opening = quiet_hours.common_opening(latest, send, where)
        return None if opening is None else quiet_hours.in_local_words(opening, facts)
    except FactMissing:
        return latest

"""The gate: the only place that decides whether a message to a person may be sent.

All gates run on the same facts, and the strictest answer wins. A gate that fails blocks, and
so does a missing fact. Order: record, stops, file, source, license, consent, lists, emergency,
hours, caps, content.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter

from rooftree.compliance.gate import (
    carrier_rules,
    consent_check,
    contact_caps,
    credit_file_stop,
    decision_record,
    do_not_call_check,
    email_rules,
    emergency_ban,
    license_checks,
    person_places,
    quiet_hours,
    reassigned_number_check,
    required_disclosures,
    revocation_check,
    telemarketer_registration,
    trigger_lead_check,
)
from rooftree.compliance.gate.facts import PHONE_MEDIA, UNKNOWN, Facts, MissingFact, get_fact
from rooftree.compliance.gate.reason_sentences import ruling_sentence
from rooftree.compliance.gate.verdict import Decision, Rule, Ruling, Verdict, deciding_ruling
from rooftree.compliance.wording_rules import wording_check

type Check = Callable[[Facts], Ruling | list[Ruling] | None]

ENG_01 = Rule(id="ENG-01", cite="47 CFR 64.1200(c)(2)(i); house")
CHECKS: dict[str, Check] = {
    "audit": decision_record.check_recorded,
    "rules": decision_record.check_rules_version,
    "revocation": revocation_check.check_revocation,
    "internal_dnc": do_not_call_check.check_internal_list,
    "reassigned": reassigned_number_check.check_reassigned_number,
    "credit_file": credit_file_stop.check_credit_stop,
    "trigger_basis": trigger_lead_check.check_basis,
    "trigger_state": trigger_lead_check.check_state_law,
    "prescreened": trigger_lead_check.check_prescreen_notices,
    "license": license_checks.check_licensed,
    "owner": license_checks.check_owner,
    "activity": license_checks.check_activity,
    "registration": telemarketer_registration.check_registration,
    "consent": consent_check.check_consent,
    "national_dnc": do_not_call_check.check_national_registry,
    "state_dnc": do_not_call_check.check_state_lists,
    "emergency": emergency_ban.check_emergency_ban,
    "hours": quiet_hours.check_quiet_hours,
    "caps": contact_caps.check_contact_caps,
    "nmls_ids": required_disclosures.check_nmls_ids,
    "license_words": required_disclosures.check_license_wording,
    "opt_out_words": required_disclosures.check_opt_out_wording,
    "approval": wording_check.check_approval,
    "content": wording_check.check_wording,
    "links": carrier_rules.check_links,
    "brand": carrier_rules.check_brand,
    "attributes": carrier_rules.check_attributes,
    "opt_in": carrier_rules.check_opt_in,
    "broker": carrier_rules.check_broker,
    "email_hours": email_rules.check_hours,
    "email_address": email_rules.check_postal_address,
    "one_click": email_rules.check_one_click,
    "subject": email_rules.check_subject,
    "unsubscribe": email_rules.check_unsubscribe,
    "authentication": email_rules.check_authentication,
    "spam_rate": email_rules.check_spam_rate,
}
FACT_NAMES = tuple(field.name for field in fields(Facts))
_get_all_facts = attrgetter(*FACT_NAMES)
ENFORCED_CHECKS = tuple(CHECKS)  # production runs all of them

# These `require` reasons ask for a person's judgment. Every other one asks for an action or a
# missing fact, which nobody's decision can replace.
REASONS_A_PERSON_DECIDES = wording_check.APPROVABLE_REASONS | {
    "hold_for_human_review",
    "supervisor_approval_state_silent",
    "privacy_and_udaap_review",
}


def decide(facts: Facts) -> Verdict:
    """Decide whether a message may be sent now and, if not, when.

    Pure and repeatable. Raises nothing: a missing fact or a failing gate is a block.
    """
    names = ENFORCED_CHECKS if facts.asks is None else facts.asks
    rulings = [ruling for name in names for ruling in _run_check(name, facts)]
    if facts.answers:
        rulings = [_apply_human_decision(ruling, facts) for ruling in rulings]
    if facts.asks is None:
        rulings += [_fail_closed(f"fact {name} is missing") for name in missing_facts(facts)]
    return combine_rulings(rulings, facts)


def missing_facts(facts: Facts) -> tuple[str, ...]:
    """Return the names of facts that nobody supplied; in production each one is a block."""
    values = zip(FACT_NAMES, _get_all_facts(facts), strict=True)
    return tuple([name for name, value in values if value is UNKNOWN])


def combine_rulings(rulings: list[Ruling], facts: Facts) -> Verdict:
    """Combine rulings into one verdict: block, then require, then defer, then allow."""
    first = deciding_ruling(rulings)
    if first is None:
        first = ENG_01.block("gate_failed_closed")
        rulings = [first]
    until = None
    if first.decision is Decision.DEFER:
        until = _next_allowed_at(rulings, facts)
        if until is None:
            first = person_places.ZON_01.require("no_common_window")
            rulings = [*rulings, first]
    return Verdict(
        decision=first.decision,
        reason=first.reason,
        sentence=ruling_sentence(first, until),
        rulings=tuple(rulings),
        next_allowed_at=until,
        deadline=first.deadline,
        house_deadline=first.house_deadline,
    )


def _run_check(name: str, facts: Facts) -> list[Ruling]:
    try:
        result = CHECKS[name](facts)
    except Exception:  # ENG-01: a gate that fails in any way stops the message
        return [_fail_closed(f"gate {name} failed")]
    if result is None:
        return []
    return result if isinstance(result, list) else [result]


def _apply_human_decision(ruling: Ruling, facts: Facts) -> Ruling:
    """Allow a ruling that a named person approved; return any other ruling unchanged.

    A decision made before the borrower's newest message doesn't count. Law that defers a message
    is never answered by a person; the company's own limits are.
    """
    if ruling.is_house_limit:
        return _apply_override(ruling, facts)
    if ruling.decision is not Decision.REQUIRE or ruling.reason not in REASONS_A_PERSON_DECIDES:
        return ruling
    at, inbound_at = get_fact(facts.at, "at"), facts.inbound_at
    since = inbound_at if isinstance(inbound_at, datetime) else None
    is_approved = any(
        (answer.rule, answer.reason) == (ruling.rule, ruling.reason)
        and answer.by
        and (since is None or since <= answer.at)
        and answer.at <= at
        for answer in facts.answers
    )
    if not is_approved:
        return ruling
    return replace(ruling, decision=Decision.ALLOW, reason="decided_by_person")


def _apply_override(ruling: Ruling, facts: Facts) -> Ruling:
    """Allow a house limit that a named person overrode, with a reason, for a contact by hand."""
    at = get_fact(facts.at, "at")
    if get_fact(facts.is_automated, "is_automated"):
        return ruling
    is_overridden = any(
        (answer.rule, answer.reason) == (ruling.rule, ruling.reason)
        and answer.by
        and answer.words
        and answer.at <= at
        for answer in facts.answers
    )
    if not is_overridden:
        return ruling
    return replace(
        ruling, decision=Decision.ALLOW, reason="house_limit_overridden", next_allowed_at=None
    )


def _fail_closed(problem: str) -> Ruling:
    return ENG_01.block("gate_failed_closed", f"{ENG_01.cite}; {problem}")


def _next_allowed_at(rulings: list[Ruling], facts: Facts) -> datetime | None:
    """Return the first moment when no deferring rule objects, on the recipient's clock."""
    moments = [ruling.next_allowed_at for ruling in rulings if ruling.next_allowed_at is not None]
    latest = max(moments)
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA:
        return latest.astimezone(get_fact(facts.at, "at").tzinfo)
    try:
        if not quiet_hours.do_hours_apply(facts):
            return quiet_hours.to_recipient_clock(latest, facts)
        clocks, send = quiet_hours.candidate_clocks(facts), quiet_hours.send_traits(facts)
        opening = quiet_hours.next_common_opening(latest, send, clocks)
        return None if opening is None else quiet_hours.to_recipient_clock(opening, facts)
    except MissingFact:
        return latest

"""Licenses that a message about a loan in a state requires (LIC-01, LIC-02)."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.facts import (
    Company,
    Facts,
    License,
    Medium,
    Officer,
    get_fact,
)
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.gate.verdict import Rule, Ruling

LIC_01 = Rule(id="LIC-01", cite="12 USC 5103; 12 CFR 1007; 12 CFR 1008; state law")
LIC_02 = Rule(id="LIC-02", cite="12 CFR 1008.103 and appendix A")
# NMLS statuses; temporary authority lasts at most 120 days (12 USC 5117), and so does its row.
ACTIVE_STATUSES = ("Approved", "Temporary Authority")
# A call by hand that asks where the property is, before anything about the loan is said.
ASK_STATE = "ask_property_state"
# No license needed: arranging, collecting, general facts. Offering or negotiating terms and
# taking an application need one, and so does anything not known to be clerical.
CLERICAL_ACTIVITY = re.compile(
    r"general|schedul|appointment|callback|remind|collect|document|status|greet|confirm"
    r"|contact_details|transfer|educat"
)
TERMS_ACTIVITY = re.compile(r"rate|terms|quot|product|recommend|negotiat|take_appl|lock")


def check_licensed(facts: Facts) -> Ruling | None:
    """Require that officer and company are licensed in the property's state on its local date.

    A company message (no officer) needs only the company's license. Officers of a depository
    are federally registered instead of state-licensed.
    """
    property_state = get_fact(facts.property_state, "property_state")
    if property_state is None:
        is_call_by_hand = facts.medium is Medium.CALL and facts.is_automated is False
        if is_call_by_hand and facts.activity == ASK_STATE:  # clerical work (LIC-02)
            return LIC_01.allow("asks_property_state")
        return LIC_01.require("property_state_needed")
    company, officer = get_fact(facts.company, "company"), get_fact(facts.officer, "officer")
    if officer is not None:
        ruling = _check_officer(officer, company, property_state, get_fact(facts.at, "at"))
        if ruling is not None:
            return ruling
    if not company.is_depository and property_state not in company.licensed_states:
        return LIC_01.block("company_unlicensed_state")
    return LIC_01.allow("licensed")


def _check_officer(officer: Officer, company: Company, state: str, at: datetime) -> Ruling | None:
    if company.is_depository:
        if not officer.is_registered:
            return LIC_01.block("lo_unlicensed_state")
    else:
        licenses = [row for row in officer.licenses if row.state == state]
        reason = _refusal_reason(licenses, latest_local_date(state, at))
        if reason is not None:
            return LIC_01.block(reason)
    return None if officer.is_sponsored else LIC_01.block("not_sponsored")


def _refusal_reason(licenses: list[License], today: date) -> str | None:
    """Return None when any license of the state is valid, else the reason none is."""
    reasons = []
    for state_license in licenses:
        if state_license.status not in ACTIVE_STATUSES:
            reasons.append("licence_inactive")
        elif state_license.expires_on is not None and state_license.expires_on < today:
            reasons.append("licence_expired")
        else:
            return None
    return reasons[0] if reasons else "lo_unlicensed_state"


def latest_local_date(state: str, at: datetime) -> date:
    """Return the latest calendar date in any zone of the state: a license ends there first."""
    law = STATES.get(state)
    if law is None:
        return at.date()
    return max(at.astimezone(ZoneInfo(zone)).date() for zone in law.zones)


def check_owner(facts: Facts) -> Ruling | None:
    """Block an automated message in the name of an officer who no longer owns the lead."""
    if get_fact(facts.officer, "officer") is None or not get_fact(
        facts.is_automated, "is_automated"
    ):
        return None
    is_owners = get_fact(facts.is_owners, "is_owners")
    return LIC_01.allow("licensed") if is_owners else LIC_01.block("not_the_owner")


def check_activity(facts: Facts) -> Ruling | None:
    """Block loan terms from anyone but a licensed officer; a program never discusses them."""
    actor = get_fact(facts.actor, "actor")
    is_licensed = actor == "officer" and get_fact(facts.officer, "officer") is not None
    activity = get_fact(facts.activity, "activity")
    is_clerical = activity == ASK_STATE or (
        CLERICAL_ACTIVITY.search(activity) is not None and TERMS_ACTIVITY.search(activity) is None
    )
    if not is_clerical and not is_licensed:
        return LIC_02.block("mlo_activity_needs_licence")
    return LIC_02.allow("clerical_activity")

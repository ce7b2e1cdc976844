"""Declared states of emergency (EMG-01)."""

from datetime import timedelta

from rooftree.compliance.gate import effective_rules, person_places
from rooftree.compliance.gate.facts import (
    PHONE_MEDIA,
    Emergency,
    Facts,
    Medium,
    Place,
    Purpose,
    get_fact,
)
from rooftree.compliance.gate.rulebook import EMERGENCY_STOP
from rooftree.compliance.gate.verdict import Rule, Ruling

EMG_01 = Rule(id="EMG-01", cite="N.Y. GBL 399-z(5-a); LPSC Gen. Order R-29617")
MAX_LIST_AGE = timedelta(hours=24)


def check_emergency_ban(facts: Facts) -> Ruling | None:
    """No unsolicited sales contact into a declared area; in Louisiana none at all."""
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA or not is_marketing:
        return None
    where = [
        candidate_place
        for candidate_place in person_places.candidate_places(facts)
        if EMERGENCY_STOP in effective_rules.place_rules(candidate_place, facts).flags
    ]
    if not where:
        return EMG_01.allow("state_clear")
    at, read_at = (
        get_fact(facts.at, "at"),
        get_fact(facts.emergencies_read_at, "emergencies_read_at"),
    )
    hit = [one for one in where if _is_emergency_declared(one, facts)]
    if not hit:
        if read_at is None or at - read_at > MAX_LIST_AGE:
            return EMG_01.require("emergency_data_stale")
        return EMG_01.allow("state_clear")
    if any(one.state != "NY" for one in hit) or not _is_call_requested(facts):
        return EMG_01.block("state_of_emergency")
    return EMG_01.allow("solicited_by_consumer")


def _is_emergency_declared(place: Place, facts: Facts) -> bool:
    declared = get_fact(facts.emergencies, "emergencies")
    return any(_covers_place(one, place, facts) for one in declared)


def _covers_place(one: Emergency, place: Place, facts: Facts) -> bool:
    day = get_fact(facts.at, "at").date()
    is_now = one.from_date <= day and (one.until_date is None or day < one.until_date)
    is_here = one.county == "*" or place.county is None or place.county == one.county
    return one.state == place.state and is_now and is_here


def _is_call_requested(facts: Facts) -> bool:
    """The consumer asked, and a human calls."""
    is_human = get_fact(facts.medium, "medium") == Medium.CALL and not get_fact(
        facts.is_automated, "is_automated"
    )
    return is_human and get_fact(facts.invited_at, "invited_at") is not None

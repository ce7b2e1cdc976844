"""The ban on sales contact during a declared state of emergency (EMG-01)."""

from datetime import date, timedelta

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
    """Block unsolicited sales contact into a declared area; in Louisiana, all sales contact."""
    is_marketing = get_fact(facts.purpose, "purpose") == Purpose.MARKETING
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA or not is_marketing:
        return None
    places = [
        place
        for place in person_places.candidate_places(facts)
        if EMERGENCY_STOP in effective_rules.place_rules(place, facts).flags
    ]
    if not places:
        return EMG_01.allow("state_clear")
    at, read_at = (
        get_fact(facts.at, "at"),
        get_fact(facts.emergencies_read_at, "emergencies_read_at"),
    )
    emergencies = get_fact(facts.emergencies, "emergencies")
    affected = [
        place
        for place in places
        if any(_covers_place(emergency, place, at.date()) for emergency in emergencies)
    ]
    if not affected:
        if read_at is None or at - read_at > MAX_LIST_AGE:
            return EMG_01.require("emergency_data_stale")
        return EMG_01.allow("state_clear")
    if any(place.state != "NY" for place in affected) or not _is_call_requested(facts):
        return EMG_01.block("state_of_emergency")
    return EMG_01.allow("solicited_by_consumer")


def _covers_place(emergency: Emergency, place: Place, day: date) -> bool:
    """Return whether an emergency is in force in a place on a day; `*` is the whole state."""
    until = emergency.until_date
    is_now = emergency.from_date <= day and (until is None or day < until)
    is_here = emergency.county == "*" or place.county in (None, emergency.county)
    return emergency.state == place.state and is_now and is_here


def _is_call_requested(facts: Facts) -> bool:
    """Return whether a human calls a consumer who asked for contact."""
    is_human = get_fact(facts.medium, "medium") == Medium.CALL and not get_fact(
        facts.is_automated, "is_automated"
    )
    return is_human and get_fact(facts.invited_at, "invited_at") is not None

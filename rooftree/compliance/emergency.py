"""Declared states of emergency (EMG-01)."""

from datetime import timedelta

from rooftree.compliance import law, places
from rooftree.compliance.facts import PHONE, Emergency, Facts, Medium, Place, Purpose, known
from rooftree.compliance.rulebook import EMERGENCY
from rooftree.compliance.verdict import Rule, Ruling

EMG_01 = Rule(id="EMG-01", cite="N.Y. GBL 399-z(5-a); LPSC Gen. Order R-29617")
FEED_AGE = timedelta(hours=24)


def decide(facts: Facts) -> Ruling | None:
    """No unsolicited sales contact into a declared area; in Louisiana none at all."""
    is_marketing = known(facts.purpose, "purpose") == Purpose.MARKETING
    if known(facts.medium, "medium") not in PHONE or not is_marketing:
        return None
    where = [one for one in places.candidates(facts) if EMERGENCY in law.of(one, facts).flags]
    if not where:
        return EMG_01.allow("state_clear")
    at, read_at = known(facts.at, "at"), known(facts.emergencies_read_at, "emergencies_read_at")
    hit = [one for one in where if _is_declared(one, facts)]
    if not hit:
        if read_at is None or at - read_at > FEED_AGE:
            return EMG_01.require("emergency_data_stale")
        return EMG_01.allow("state_clear")
    if any(one.state != "NY" for one in hit) or not _is_asked_for(facts):
        return EMG_01.block("state_of_emergency")
    return EMG_01.allow("solicited_by_consumer")


def _is_declared(place: Place, facts: Facts) -> bool:
    declared = known(facts.emergencies, "emergencies")
    return any(_covers(one, place, facts) for one in declared)


def _covers(one: Emergency, place: Place, facts: Facts) -> bool:
    day = known(facts.at, "at").date()
    is_now = one.from_date <= day and (one.until_date is None or day < one.until_date)
    is_here = one.county == "*" or place.county is None or place.county == one.county
    return one.state == place.state and is_now and is_here


def _is_asked_for(facts: Facts) -> bool:
    """The consumer asked, and a human calls."""
    is_human = known(facts.medium, "medium") == Medium.CALL and not known(
        facts.is_automated, "is_automated"
    )
    return is_human and known(facts.invited_at, "invited_at") is not None

"""Every place where the person might be, by any evidence (ZON-01)."""

from rooftree.compliance.gate.facts import Facts, Place, get_fact
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.area_codes_and_zones import AREA_CODES, area_code, zones_of_zip

ZON_01 = Rule(id="ZON-01", cite="47 CFR 64.1200(c)(1); Fla. Stat. 501.059; 15 O.S. 775C")
COUNTED_KINDS = frozenset({"area_code", "residence", "property", "stated"})


def area_code_places(phone: str) -> tuple[Place, ...]:
    """Return the places of an area code; none for toll-free and foreign numbers."""
    plan = AREA_CODES.get(area_code(phone) or "")
    if plan is None:
        return ()
    zones = plan.zones or STATES[plan.state].zones
    return tuple(Place(kind="area_code", state=plan.state, zone=zone) for zone in zones)


def address_places(
    kind: str, state: str | None, postal_code: str = "", *, is_home: bool | None = None
) -> tuple[Place, ...]:
    """Return the places of an address: one per zone of the state, or the ZIP's own zones.

    Args:
        kind: residence, property or stated.
        state: USPS code; an unknown one gives no place.
        is_home: for a property, False when the person is known not to live there now.
    """
    law = STATES.get(state or "")
    if law is None:
        return ()
    zones = zones_of_zip(law.code, postal_code) or law.zones
    return tuple(Place(kind=kind, state=law.code, zone=zone, is_home=is_home) for zone in zones)


def narrow_area_codes(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Drop the area-code zones of a state where a residence is known.

    An address narrows an area code only within the same state; it never removes the area
    code's state.
    """
    home_zones: dict[str, set[str]] = {}
    for place in places:
        if place.kind == "residence":
            home_zones.setdefault(place.state, set()).add(place.zone)
    return tuple(
        place
        for place in places
        if place.kind != "area_code" or place.zone in home_zones.get(place.state, {place.zone})
    )


def candidate_places(facts: Facts) -> tuple[Place, ...]:
    """Return the places that count, in the given order. Raises `MissingFact`."""
    return tuple(
        place
        for place in get_fact(facts.places, "places")
        if place.kind in COUNTED_KINDS
        and place.state in STATES
        and not (place.kind == "property" and place.is_home is False)
    )


def candidate_states(facts: Facts) -> tuple[str, ...]:
    """Return the states of all candidate places, each once."""
    return tuple(dict.fromkeys(place.state for place in candidate_places(facts)))


def check_location(facts: Facts) -> Ruling | None:
    """Require the person's location when no evidence gives one."""
    if candidate_places(facts):
        return None
    return ZON_01.require("location_evidence_missing")

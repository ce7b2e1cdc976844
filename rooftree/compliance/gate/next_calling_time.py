"""The next hour when a borrower can be called, from phone and address alone.

Lists are ordered by it. It is not a verdict: the gate decides, and also checks everything else.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from rooftree.compliance.gate import effective_rules, person_places, quiet_hours
from rooftree.compliance.gate.effective_rules import Changes

GUARD_ITEM = "guard_call"  # the margin before quiet hours, as the gate keeps it


def next_opening(
    phone: str, state: str, postal_code: str, changes: Changes, *, at: datetime
) -> datetime | None:
    """Return the first moment at or after `at` when every possible place allows a manual call.

    The moment is on the clock of the first place. None when no place is known, or when no hour
    within two weeks is open everywhere.
    """
    minute = at.replace(second=0, microsecond=0)
    opening = _cached_opening(phone[:5], state, postal_code, changes, minute)
    return at if opening is not None and opening <= at else opening


@lru_cache(maxsize=4096)
def _cached_opening(
    area: str, state: str, postal_code: str, changes: Changes, minute: datetime
) -> datetime | None:
    clocks = _candidate_clocks(area, state, postal_code, changes)
    guard = effective_rules.effective_number_on(GUARD_ITEM, minute.date(), changes)
    call = quiet_hours.SendTraits(
        is_automated=False, is_recorded=False, guard=timedelta(minutes=guard)
    )
    opening = quiet_hours.next_common_opening(minute, call, clocks) if clocks else None
    return opening.astimezone(clocks[0].zone) if opening else None


@lru_cache(maxsize=4096)
def _candidate_clocks(
    area: str, state: str, postal_code: str, changes: Changes
) -> tuple[quiet_hours.PlaceClock, ...]:
    places = (
        *person_places.area_code_places(area + "5550100"),
        *person_places.address_places("property", state, postal_code),
    )
    zones = dict.fromkeys((place.state, place.zone) for place in places)
    return tuple(quiet_hours.place_clock(state, zone, changes) for state, zone in zones)

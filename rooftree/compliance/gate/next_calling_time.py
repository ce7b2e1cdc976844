"""Whether a person may be called at this hour, by where they may be: a glance, not a verdict.

Lists are ordered by it. What may be done is the gate's to say, which looks at
everything else as well.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from rooftree.compliance.gate import person_places, quiet_hours
from rooftree.compliance.gate.effective_rules import Changes

MANUAL_CALL = quiet_hours.SendTraits(is_automated=False, is_recorded=False, guard=timedelta(0))


def next_opening(
    phone: str, state: str, postal_code: str, changes: Changes, *, at: datetime
) -> datetime | None:
    """The first moment, `at` or later, when every place is open, by the clock of the first.

    None when nothing says where they are, or no hour of two weeks suits.
    """
    minute = at.replace(second=0, microsecond=0)
    opening = _cached_opening(phone[:5], state, postal_code, changes, minute)
    return at if opening is not None and opening <= at else opening


@lru_cache(maxsize=4096)
def _cached_opening(
    area: str, state: str, postal_code: str, changes: Changes, minute: datetime
) -> datetime | None:
    kept = _candidate_clocks(area, state, postal_code, changes)
    opening = quiet_hours.next_common_opening(minute, MANUAL_CALL, kept) if kept else None
    return opening.astimezone(kept[0].zone) if opening else None


@lru_cache(maxsize=4096)
def _candidate_clocks(
    area: str, state: str, postal_code: str, changes: Changes
) -> tuple[quiet_hours.PlaceClock, ...]:
    there = (
        *person_places.area_code_places(area + "5550100"),
        *person_places.address_places("property", state, postal_code),
    )
    where = dict.fromkeys(
        (area_code_place.state, area_code_place.zone) for area_code_place in there
    )
    return tuple(quiet_hours.place_clock(state, zone, changes) for state, zone in where)

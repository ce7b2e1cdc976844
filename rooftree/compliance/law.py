"""The rule data as they stand for one decision: as they came, with what this company changed.

A change counts from its date on by the clock of the place. Where a person may be in several
places, the law of each counts on its own date, and of two numbers the stricter. Which changes
there are is a fact like any other, so whatever was decided follows again from its facts.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rooftree.compliance import places
from rooftree.compliance.facts import Amendment, Facts, Place, known
from rooftree.compliance.rulebook import (
    FEDERAL_WEEK,
    HOUSE_CAPS,
    MORE_IS_STRICTER,
    NUMBERS,
    RELEASE_LIMITS,
    STATES,
    Cap,
    Row,
    State,
    Week,
    changed,
    house_caps_of,
    week_of,
)
from rooftree.compliance.rulebook import house_caps as shipped_house_caps

EVERYWHERE = "US"
WINDOW = "telemarketing_window"
type Changes = tuple[Amendment, ...]


def picked(changes: Changes, place: str, item: str, day: date) -> Amendment | None:
    """The change that counts for one value on a local date: of those in force the newest."""
    standing = [one for one in changes if (one.place, one.item) == (place, item) and one.holds(day)]
    return max(standing, key=lambda one: (one.from_date, one.number), default=None)


def concerning(changes: Changes, states: Iterable[str], at: datetime) -> Changes:
    """Those that a decision about people in `states` may rest on, now or later, oldest first."""
    if not changes:
        return changes
    return _concerning(changes, frozenset({EVERYWHERE, *states}), at.date() - timedelta(days=1))


@lru_cache(maxsize=1024)
def _concerning(changes: Changes, places: frozenset[str], day: date) -> Changes:
    mine = [one for one in changes if one.place in places and one.item not in RELEASE_LIMITS]
    left = [one for one in mine if one.until_date is None or one.until_date > day]
    return tuple(one for one in left if not _is_followed(one, left, day))


def _is_followed(one: Amendment, others: Iterable[Amendment], day: date) -> bool:
    """Another of the same value began later, counts already, and nobody withdrew it."""
    return any(
        (other.place, other.item, other.until_date) == (one.place, one.item, None)
        and (one.from_date, one.number) < (other.from_date, other.number)
        and other.from_date <= day
        for other in others
    )


def cited(one: Amendment) -> str:
    """Where a changed value comes from."""
    return f"{one.cite} (rule change {one.number})"


def state_on(code: str, day: date, changes: Changes) -> State:
    """The law of a state on a local date."""
    return _state_on(code, day, changes) if changes else STATES[code]


@lru_cache(maxsize=4096)
def _state_on(code: str, day: date, changes: Changes) -> State:
    state = STATES[code]
    for item in dict.fromkeys(one.item for one in changes if one.place == code):
        one = picked(changes, code, item, day)
        if one is not None:
            state = changed(state, item, json.loads(one.value), cited(one))
    window = picked(changes, EVERYWHERE, WINDOW, day)
    if state.is_federal_only and window is not None:
        week = week_of(json.loads(window.value))
        row = Row(from_date=date.min, until_date=date.max, live=week, cite=cited(window))
        state = replace(state, rows=(row,))
    return state


def federal_week(day: date, changes: Changes) -> Week:
    """The federal hours on a local date, which no state widens."""
    one = picked(changes, EVERYWHERE, WINDOW, day) if changes else None
    return FEDERAL_WEEK if one is None else week_of(json.loads(one.value))


def of(place: Place, facts: Facts) -> State:
    """The law of one place where the person may be, on its own date."""
    if not facts.amendments:
        return STATES[place.state]
    return state_on(place.state, _date(place, known(facts.at, "at")), facts.amendments)


def states(facts: Facts) -> tuple[State, ...]:
    """The law of every place where the person may be, each once."""
    found = {id(law): law for law in (of(place, facts) for place in places.candidates(facts))}
    return tuple(found.values())


def number(name: str, facts: Facts) -> int:
    """A federal or house number, of `rulebook.NUMBERS`."""
    return changed_number(name, facts, NUMBERS[name])


def changed_number(name: str, facts: Facts, shipped: int) -> int:
    """The same where the facts themselves say what holds without a change."""
    if not facts.amendments:
        return shipped
    found = []
    for day in _days(facts):
        one = picked(facts.amendments, EVERYWHERE, name, day)
        found.append(shipped if one is None else int(json.loads(one.value)))
    return max(found) if name in MORE_IS_STRICTER else min(found)


def number_on(name: str, day: date, changes: Changes) -> int:
    """A federal or house number on a day, for whatever is not about one message."""
    one = picked(changes, EVERYWHERE, name, day)
    return NUMBERS[name] if one is None else int(json.loads(one.value))


def house_caps(medium: str, facts: Facts) -> tuple[Cap, ...]:
    """The everyday house caps of call, text or email."""
    if not facts.amendments:
        return shipped_house_caps(medium)
    found: list[Cap] = []
    for day in _days(facts):
        one = picked(facts.amendments, EVERYWHERE, HOUSE_CAPS[medium], day)
        caps = shipped_house_caps(medium) if one is None else house_caps_of(json.loads(one.value))
        found += caps
    return tuple(dict.fromkeys(found))


def _days(facts: Facts) -> list[date]:
    at = known(facts.at, "at")
    return sorted({_date(place, at) for place in places.candidates(facts)} or {at.date()})


def _date(place: Place, at: datetime) -> date:
    return at.astimezone(ZoneInfo(place.zone)).date()

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

from rooftree.compliance.gate import person_places
from rooftree.compliance.gate.facts import Amendment, Facts, Place, get_fact
from rooftree.compliance.gate.rulebook import (
    CHANGEABLE_NUMBERS,
    FEDERAL_WEEK,
    HOUSE_CAP_ITEMS,
    RELEASE_LIMITS,
    STATES,
    STRICTER_WHEN_LARGER,
    Cap,
    HoursVersion,
    StateRules,
    Week,
    parse_house_caps,
    parse_week,
    replace_rule_value,
    shipped_house_caps,
)

EVERYWHERE = "US"
FEDERAL_WINDOW_ITEM = "telemarketing_window"
type Changes = tuple[Amendment, ...]


def change_in_force(changes: Changes, place: str, item: str, day: date) -> Amendment | None:
    """The change that counts for one value on a local date: of those in force the newest."""
    standing = [
        change
        for change in changes
        if (change.place, change.item) == (place, item) and change.is_in_force(day)
    ]
    return max(standing, key=lambda one: (one.from_date, one.number), default=None)


def relevant_changes(changes: Changes, states: Iterable[str], at: datetime) -> Changes:
    """Those that a decision about people in `states` may rest on, now or later, oldest first."""
    if not changes:
        return changes
    return _relevant_changes_on(
        changes, frozenset({EVERYWHERE, *states}), at.date() - timedelta(days=1)
    )


@lru_cache(maxsize=1024)
def _relevant_changes_on(changes: Changes, places: frozenset[str], day: date) -> Changes:
    mine = [
        change for change in changes if change.place in places and change.item not in RELEASE_LIMITS
    ]
    left = [one for one in mine if one.until_date is None or one.until_date > day]
    return tuple(one for one in left if not _is_superseded(one, left, day))


def _is_superseded(one: Amendment, others: Iterable[Amendment], day: date) -> bool:
    """Another of the same value began later, counts already, and nobody withdrew it."""
    return any(
        (other.place, other.item, other.until_date) == (one.place, one.item, None)
        and (one.from_date, one.number) < (other.from_date, other.number)
        and other.from_date <= day
        for other in others
    )


def change_citation(one: Amendment) -> str:
    """Where a changed value comes from."""
    return f"{one.cite} (rule change {one.number})"


def state_rules_on(code: str, day: date, changes: Changes) -> StateRules:
    """The law of a state on a local date."""
    return _changed_state_rules(code, day, changes) if changes else STATES[code]


@lru_cache(maxsize=4096)
def _changed_state_rules(code: str, day: date, changes: Changes) -> StateRules:
    state = STATES[code]
    for item in dict.fromkeys(change.item for change in changes if change.place == code):
        one = change_in_force(changes, code, item, day)
        if one is not None:
            state = replace_rule_value(state, item, json.loads(one.value), change_citation(one))
    window = change_in_force(changes, EVERYWHERE, FEDERAL_WINDOW_ITEM, day)
    if state.is_federal_only and window is not None:
        week = parse_week(json.loads(window.value))
        row = HoursVersion(
            from_date=date.min, until_date=date.max, live=week, cite=change_citation(window)
        )
        state = replace(state, rows=(row,))
    return state


def federal_week_on(day: date, changes: Changes) -> Week:
    """The federal hours on a local date, which no state widens."""
    one = change_in_force(changes, EVERYWHERE, FEDERAL_WINDOW_ITEM, day) if changes else None
    return FEDERAL_WEEK if one is None else parse_week(json.loads(one.value))


def place_rules(place: Place, facts: Facts) -> StateRules:
    """The law of one place where the person may be, on its own date."""
    if not facts.amendments:
        return STATES[place.state]
    return state_rules_on(
        place.state, _local_date(place, get_fact(facts.at, "at")), facts.amendments
    )


def candidate_state_rules(facts: Facts) -> tuple[StateRules, ...]:
    """The law of every place where the person may be, each once."""
    found = {
        id(law): law
        for law in (place_rules(place, facts) for place in person_places.candidate_places(facts))
    }
    return tuple(found.values())


def effective_number(name: str, facts: Facts) -> int:
    """A federal or house number, of `rulebook.NUMBERS`."""
    return effective_number_from(name, facts, CHANGEABLE_NUMBERS[name])


def effective_number_from(name: str, facts: Facts, shipped: int) -> int:
    """The same where the facts themselves say what holds without a change."""
    if not facts.amendments:
        return shipped
    found = []
    for day in _local_dates(facts):
        one = change_in_force(facts.amendments, EVERYWHERE, name, day)
        found.append(shipped if one is None else int(json.loads(one.value)))
    return max(found) if name in STRICTER_WHEN_LARGER else min(found)


def effective_number_on(name: str, day: date, changes: Changes) -> int:
    """A federal or house number on a day, for whatever is not about one message."""
    one = change_in_force(changes, EVERYWHERE, name, day)
    return CHANGEABLE_NUMBERS[name] if one is None else int(json.loads(one.value))


def effective_house_caps(medium: str, facts: Facts) -> tuple[Cap, ...]:
    """The everyday house caps of call, text or email."""
    if not facts.amendments:
        return shipped_house_caps(medium)
    found: list[Cap] = []
    for day in _local_dates(facts):
        one = change_in_force(facts.amendments, EVERYWHERE, HOUSE_CAP_ITEMS[medium], day)
        caps = (
            shipped_house_caps(medium) if one is None else parse_house_caps(json.loads(one.value))
        )
        found += caps
    return tuple(dict.fromkeys(found))


def _local_dates(facts: Facts) -> list[date]:
    at = get_fact(facts.at, "at")
    return sorted(
        {_local_date(place, at) for place in person_places.candidate_places(facts)} or {at.date()}
    )


def _local_date(place: Place, at: datetime) -> date:
    return at.astimezone(ZoneInfo(place.zone)).date()

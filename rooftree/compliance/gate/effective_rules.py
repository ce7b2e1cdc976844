"""The rule data for one decision: the shipped rules with this company's changes.

A change counts from its date on the clock of the place. When a person might be in several
places, each place's law counts on its own date, and the stricter of two numbers applies. The
changes are facts too, so every decision can be derived again from its facts.
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
    """Return the newest change in force for one value on a local date, or None."""
    in_force = [
        change
        for change in changes
        if (change.place, change.item) == (place, item) and change.is_in_force(day)
    ]
    return max(in_force, key=lambda change: (change.from_date, change.number), default=None)


def relevant_changes(changes: Changes, states: Iterable[str], at: datetime) -> Changes:
    """Return the changes that can affect a decision about people in `states`, now or later."""
    if not changes:
        return changes
    return _relevant_changes_on(
        changes, frozenset({EVERYWHERE, *states}), at.date() - timedelta(days=1)
    )


@lru_cache(maxsize=1024)
def _relevant_changes_on(changes: Changes, places: frozenset[str], day: date) -> Changes:
    live = [
        change
        for change in changes
        if change.place in places
        and change.item not in RELEASE_LIMITS
        and (change.until_date is None or change.until_date > day)
    ]
    return tuple(change for change in live if not _is_superseded(change, live, day))


def _is_superseded(change: Amendment, others: Iterable[Amendment], day: date) -> bool:
    """Return whether a later change of the same value is in force with no end date."""
    return any(
        (other.place, other.item, other.until_date) == (change.place, change.item, None)
        and (change.from_date, change.number) < (other.from_date, other.number)
        and other.from_date <= day
        for other in others
    )


def change_citation(change: Amendment) -> str:
    """Return the citation of a changed value, with the change's number."""
    return f"{change.cite} (rule change {change.number})"


def state_rules_on(code: str, day: date, changes: Changes) -> StateRules:
    """Return the law of a state on a local date."""
    return _changed_state_rules(code, day, changes) if changes else STATES[code]


@lru_cache(maxsize=4096)
def _changed_state_rules(code: str, day: date, changes: Changes) -> StateRules:
    state = STATES[code]
    for item in dict.fromkeys(change.item for change in changes if change.place == code):
        change = change_in_force(changes, code, item, day)
        if change is not None:
            value = json.loads(change.value)
            state = replace_rule_value(state, item, value, change_citation(change))
    window = change_in_force(changes, EVERYWHERE, FEDERAL_WINDOW_ITEM, day)
    if state.is_federal_only and window is not None:
        week = parse_week(json.loads(window.value))
        row = HoursVersion(
            from_date=date.min, until_date=date.max, live=week, cite=change_citation(window)
        )
        state = replace(state, rows=(row,))
    return state


def federal_week_on(day: date, changes: Changes) -> Week:
    """Return the federal hours on a local date; no state can widen them."""
    change = change_in_force(changes, EVERYWHERE, FEDERAL_WINDOW_ITEM, day) if changes else None
    return FEDERAL_WEEK if change is None else parse_week(json.loads(change.value))


def place_rules(place: Place, facts: Facts) -> StateRules:
    """Return the law of one place where the person might be, on the place's own date."""
    if not facts.amendments:
        return STATES[place.state]
    return state_rules_on(
        place.state, _local_date(place, get_fact(facts.at, "at")), facts.amendments
    )


def candidate_state_rules(facts: Facts) -> tuple[StateRules, ...]:
    """Return the law of every place where the person might be, each once."""
    laws = {
        id(law): law
        for law in (place_rules(place, facts) for place in person_places.candidate_places(facts))
    }
    return tuple(laws.values())


def effective_number(name: str, facts: Facts) -> int:
    """Return a federal or house number of `rulebook.CHANGEABLE_NUMBERS` for one message."""
    return effective_number_from(name, facts, CHANGEABLE_NUMBERS[name])


def effective_number_from(name: str, facts: Facts, shipped: int) -> int:
    """Return a number for one message; `shipped` is its value without a change."""
    if not facts.amendments:
        return shipped
    numbers = [_number_on(name, day, facts.amendments, shipped) for day in _local_dates(facts)]
    return max(numbers) if name in STRICTER_WHEN_LARGER else min(numbers)


def effective_number_on(name: str, day: date, changes: Changes) -> int:
    """Return a federal or house number on a day, for uses that aren't about one message."""
    return _number_on(name, day, changes, CHANGEABLE_NUMBERS[name])


def _number_on(name: str, day: date, changes: Changes, shipped: int) -> int:
    change = change_in_force(changes, EVERYWHERE, name, day)
    return shipped if change is None else int(json.loads(change.value))


def effective_house_caps(medium: str, facts: Facts) -> tuple[Cap, ...]:
    """Return the everyday house caps of call, text or email for one message."""
    if not facts.amendments:
        return shipped_house_caps(medium)
    all_caps: list[Cap] = []
    for day in _local_dates(facts):
        change = change_in_force(facts.amendments, EVERYWHERE, HOUSE_CAP_ITEMS[medium], day)
        if change is None:
            all_caps += shipped_house_caps(medium)
        else:
            all_caps += parse_house_caps(json.loads(change.value))
    return tuple(dict.fromkeys(all_caps))


def _local_dates(facts: Facts) -> list[date]:
    at = get_fact(facts.at, "at")
    return sorted(
        {_local_date(place, at) for place in person_places.candidate_places(facts)} or {at.date()}
    )


def _local_date(place: Place, at: datetime) -> date:
    return at.astimezone(ZoneInfo(place.zone)).date()

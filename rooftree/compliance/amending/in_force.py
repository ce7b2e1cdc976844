"""Each value of the rules as it stands on a day: what it is, where it comes from, since when."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from rooftree.compliance import law, rule_items
from rooftree.compliance.amending.value_words import NATURES, in_words
from rooftree.compliance.law import Changes
from rooftree.compliance.rule_items import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value in force."""

    place: str
    item: Item
    value: Any
    cite: str
    since: date | None  # None: since before the rule data say
    number: int | None  # of the change that made it so; None: as it came
    is_looser: bool  # than it came
    to_come: tuple[int, ...] = ()  # changes that begin later

    @property
    def words(self) -> str:
        return in_words(self.item, self.value)

    @property
    def nature(self) -> str:
        """Whether it is law, a limit of the house, or counsel's choice."""
        return NATURES[self.item.nature]


def values(place: str, day: date, changes: Changes) -> list[Value]:
    """Everything that may be changed of a state, or of what holds everywhere."""
    return [value(place, item, day, changes) for item in rule_items.items_of(place)]


def value(place: str, item: str, day: date, changes: Changes) -> Value:
    """One of them. Raises `KeyError` for no such value."""
    one = rule_items.items_of(place)[item]
    came = rule_items.shipped(place, item, day)
    change = law.picked(changes, place, item, day)
    said = came if change is None else json.loads(change.value)
    cite = rule_items.shipped_cite(place, item, day) if came else ""  # nothing rests on nothing
    if change is not None:
        cite = change.cite
    later = (each for each in changes if (each.place, each.item) == (place, item))
    return Value(
        place=place,
        item=one,
        value=said,
        cite=cite,
        since=change.from_date if change else rule_items.shipped_since(place, item, day),
        number=change.number if change else None,
        is_looser=change is not None and one.is_looser(came, said),
        to_come=tuple(
            each.number for each in later if each.from_date > day and each.until_date is None
        ),
    )

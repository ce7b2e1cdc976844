"""Each value of the rules as it stands on a day: what it is, where it comes from, since when."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.rule_changes import rule_items
from rooftree.compliance.rule_changes.rule_items import RuleItem
from rooftree.compliance.rule_changes.value_wording import NATURE_LABELS, format_value


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveValue:
    """One value in force."""

    place: str
    item: RuleItem
    value: Any
    cite: str
    since: date | None  # None: since before the rule data say
    number: int | None  # of the change that made it so; None: as it came
    is_looser: bool  # than it came
    later_changes: tuple[int, ...] = ()  # changes that begin later

    @property
    def formatted_value(self) -> str:
        return format_value(self.item, self.value)

    @property
    def nature_label(self) -> str:
        """Whether it is law, a limit of the house, or counsel's choice."""
        return NATURE_LABELS[self.item.nature]


def effective_values(place: str, day: date, changes: Changes) -> list[EffectiveValue]:
    """Everything that may be changed of a state, or of what holds everywhere."""
    return [effective_value(place, item, day, changes) for item in rule_items.place_items(place)]


def effective_value(place: str, item: str, day: date, changes: Changes) -> EffectiveValue:
    """One of them. Raises `KeyError` for no such value."""
    one = rule_items.place_items(place)[item]
    came = rule_items.shipped_value(place, item, day)
    change = effective_rules.change_in_force(changes, place, item, day)
    said = came if change is None else json.loads(change.value)
    cite = rule_items.shipped_cite(place, item, day) if came else ""  # nothing rests on nothing
    if change is not None:
        cite = change.cite
    later = (each for each in changes if (each.place, each.item) == (place, item))
    return EffectiveValue(
        place=place,
        item=one,
        value=said,
        cite=cite,
        since=change.from_date if change else rule_items.shipped_since(place, item, day),
        number=change.number if change else None,
        is_looser=change is not None and one.is_looser(came, said),
        later_changes=tuple(
            each.number for each in later if each.from_date > day and each.until_date is None
        ),
    )

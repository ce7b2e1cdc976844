"""The rule values in force on a day, with their citation, start date and change."""

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
    since: date | None  # None if it is older than the rule data
    number: int | None  # of the change in force; None for the default
    is_looser: bool  # than the default
    later_changes: tuple[int, ...] = ()  # numbers of changes that start later

    @property
    def formatted_value(self) -> str:
        return format_value(self.item, self.value)

    @property
    def nature_label(self) -> str:
        """Law, house limit or counsel's choice."""
        return NATURE_LABELS[self.item.nature]


def effective_values(place: str, day: date, changes: Changes) -> list[EffectiveValue]:
    """Return all changeable values of a state or of the federal and house rules."""
    return [effective_value(place, item, day, changes) for item in rule_items.place_items(place)]


def effective_value(place: str, item: str, day: date, changes: Changes) -> EffectiveValue:
    """Return one value in force. Raises `KeyError` for an unknown item."""
    rule_item = rule_items.place_items(place)[item]
    default = rule_items.shipped_value(place, item, day)
    change = effective_rules.change_in_force(changes, place, item, day)
    value = default if change is None else json.loads(change.value)
    cite = rule_items.shipped_cite(place, item, day) if default else ""  # an empty value has none
    if change is not None:
        cite = change.cite
    same_item = (other for other in changes if (other.place, other.item) == (place, item))
    return EffectiveValue(
        place=place,
        item=rule_item,
        value=value,
        cite=cite,
        since=change.from_date if change else rule_items.shipped_since(place, item, day),
        number=change.number if change else None,
        is_looser=change is not None and rule_item.is_looser(default, value),
        later_changes=tuple(
            other.number
            for other in same_item
            if other.from_date > day and other.until_date is None
        ),
    )

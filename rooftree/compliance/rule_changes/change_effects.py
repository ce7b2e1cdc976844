"""Which changes of rules made a decision what it is: the gate is asked again without each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.gate.facts import Amendment
from rooftree.compliance.rule_changes import rule_items
from rooftree.compliance.rule_changes.value_wording import format_value, place_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEffect:
    """One change among the facts of a decision, and what would have been decided without it."""

    amendment: Amendment
    sentence_without: str  # the sentence; "" when it is the same decision

    @property
    def description(self) -> str:
        """What it changed, in words."""
        one = self.amendment
        item = rule_items.place_items(one.place)[one.item]
        value = format_value(item, json.loads(one.value))
        return f"{place_name(one.place)}, {item.label.lower()}: {value} ({one.cite})"


def find_change_effects(stored: Mapping[str, Any]) -> list[ChangeEffect]:
    """Every change among stored facts, oldest first."""
    if not stored.get("amendments"):
        return []
    facts = facts_json.facts_from_json(stored)
    made = message_gate.decide(facts)
    found = []
    for amendment in facts.amendments:
        left = tuple(each for each in facts.amendments if each != amendment)
        other = message_gate.decide(replace(facts, amendments=left))
        is_same = (other.decision, other.reason, other.next_allowed_at) == (
            made.decision, made.reason, made.next_allowed_at,
        )  # fmt: skip
        found.append(
            ChangeEffect(amendment=amendment, sentence_without="" if is_same else other.sentence)
        )
    return found

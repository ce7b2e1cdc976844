"""Which changes of rules made a decision what it is: the gate is asked again without each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rooftree.compliance import facts_json, gate, rule_items
from rooftree.compliance.amending.value_words import in_words, place_name
from rooftree.compliance.facts import Amendment


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One change among the facts of a decision, and what would have been decided without it."""

    amendment: Amendment
    without: str  # the sentence; "" when it is the same decision

    @property
    def says(self) -> str:
        """What it changed, in words."""
        one = self.amendment
        item = rule_items.items_of(one.place)[one.item]
        value = in_words(item, json.loads(one.value))
        return f"{place_name(one.place)}, {item.label.lower()}: {value} ({one.cite})"


def counted(stored: Mapping[str, Any]) -> list[Counted]:
    """Every change among stored facts, oldest first."""
    if not stored.get("amendments"):
        return []
    facts = facts_json.from_json(stored)
    made = gate.decide(facts)
    found = []
    for one in facts.amendments:
        left = tuple(each for each in facts.amendments if each != one)
        other = gate.decide(replace(facts, amendments=left))
        is_same = (other.decision, other.reason, other.next_allowed_at) == (
            made.decision, made.reason, made.next_allowed_at,
        )  # fmt: skip
        found.append(Counted(amendment=one, without="" if is_same else other.sentence))
    return found

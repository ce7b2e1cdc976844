"""The effect of rule changes on a stored decision, found by deciding again without each one."""

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
    """One change among the facts of a decision, and the decision without it."""

    amendment: Amendment
    sentence_without: str  # the sentence without it; "" if the decision is the same

    @property
    def description(self) -> str:
        """The change in words."""
        change = self.amendment
        item = rule_items.place_items(change.place)[change.item]
        value = format_value(item, json.loads(change.value))
        return f"{place_name(change.place)}, {item.label.lower()}: {value} ({change.cite})"


def find_change_effects(stored: Mapping[str, Any]) -> list[ChangeEffect]:
    """Return the effect of each change among stored facts, oldest first."""
    if not stored.get("amendments"):
        return []
    facts = facts_json.facts_from_json(stored)
    verdict = message_gate.decide(facts)
    effects = []
    for amendment in facts.amendments:
        others = tuple(other for other in facts.amendments if other != amendment)
        without = message_gate.decide(replace(facts, amendments=others))
        is_same = (without.decision, without.reason, without.next_allowed_at) == (
            verdict.decision, verdict.reason, verdict.next_allowed_at,
        )  # fmt: skip
        sentence = "" if is_same else without.sentence
        effects.append(ChangeEffect(amendment=amendment, sentence_without=sentence))
    return effects

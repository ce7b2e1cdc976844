"""Replays a stored choice, to explain and to prove it."""

from datetime import datetime

from rooftree.routing.choice_inputs import inputs_from_json, load_rules
from rooftree.routing.choose_officer import Choice, choose_officer
from rooftree.routing.models import RoutingDecision
from rooftree.routing.routing_rules import LeadFacts


def replay_choice(decision: RoutingDecision) -> Choice:
    """Choose again from the stored inputs and rule version, with all reasons.

    `decision.rule_set` should be loaded. Reads nothing but the decision and its roster.
    """
    stored = decision.inputs
    return choose_officer(
        LeadFacts(**stored["lead"]),
        load_rules(decision.rule_set),
        inputs_from_json(stored),
        at=datetime.fromisoformat(stored["at"]),
    )


def is_reproducible(decision: RoutingDecision) -> bool:
    """Return True if the replayed choice equals the stored outcome."""
    choice, outcome = replay_choice(decision), decision.outcome
    hold = choice.hold_until.isoformat() if choice.hold_until else None
    return (choice.officer_id, choice.place, choice.pool_key, choice.turn, hold) == (
        outcome["officer_id"],
        outcome["place"],
        outcome["pool"],
        outcome["turn"],
        outcome["hold_until"],
    )

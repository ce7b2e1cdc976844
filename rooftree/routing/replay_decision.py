"""Making a stored choice again, to explain it and to prove it."""

from datetime import datetime

from rooftree.routing.choice_inputs import inputs_from_json, load_rules
from rooftree.routing.choose_officer import Choice, choose_officer
from rooftree.routing.models import RoutingDecision
from rooftree.routing.routing_rules import LeadFacts


def replay_choice(decision: RoutingDecision) -> Choice:
    """The choice as its stored inputs and edition of the rules give it, with all reasons.

    `decision.rule_set` should be loaded. Reads nothing but the decision.
    """
    stored = decision.inputs
    return choose_officer(
        LeadFacts(**stored["lead"]),
        load_rules(decision.rule_set),
        inputs_from_json(stored),
        at=datetime.fromisoformat(stored["at"]),
    )


def is_reproducible(decision: RoutingDecision) -> bool:
    """Whether the choice made again is the one that was acted on."""
    choice, outcome = replay_choice(decision), decision.outcome
    hold = choice.hold_until.isoformat() if choice.hold_until else None
    return (choice.officer_id, choice.place, choice.pool_key, choice.turn, hold) == (
        outcome["officer_id"],
        outcome["place"],
        outcome["pool"],
        outcome["turn"],
        outcome["hold_until"],
    )

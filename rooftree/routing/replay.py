"""Making a stored choice again, to explain it and to prove it."""

from datetime import datetime

from rooftree.routing.choose import Choice, choose
from rooftree.routing.facts import known_from_json, rules_of
from rooftree.routing.models import RoutingDecision
from rooftree.routing.rules import LeadFacts


def again(decision: RoutingDecision) -> Choice:
    """The choice as its stored inputs and edition of the rules give it, with all reasons.

    `decision.rule_set` should be loaded. Reads nothing but the decision.
    """
    stored = decision.inputs
    return choose(
        LeadFacts(**stored["lead"]),
        rules_of(decision.rule_set),
        known_from_json(stored),
        at=datetime.fromisoformat(stored["at"]),
    )


def agrees(decision: RoutingDecision) -> bool:
    """Whether the choice made again is the one that was acted on."""
    choice, outcome = again(decision), decision.outcome
    hold = choice.hold_until.isoformat() if choice.hold_until else None
    return (choice.officer_id, choice.place, choice.pool_key, choice.turn, hold) == (
        outcome["officer_id"],
        outcome["place"],
        outcome["pool"],
        outcome["turn"],
        outcome["hold_until"],
    )

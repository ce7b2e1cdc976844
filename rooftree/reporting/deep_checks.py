"""The deep checks: decide each verdict and routing decision again from its stored inputs."""

from collections.abc import Callable
from datetime import datetime

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.compliance.models import Verdict
from rooftree.db.keyset_batches import iterate_in_batches
from rooftree.reporting.invariants import Finding, build_finding
from rooftree.routing import replay_decision
from rooftree.routing.models import RoutingDecision

ROUTING_SAMPLE = 500  # newest routing decisions to decide again
_BATCH = 500


def check_facts_unchanged(at: datetime) -> Finding:
    """Check that the stored facts of every verdict still match their hash."""
    wrong, total = [], 0
    rows = Verdict.objects.values("id", "facts", "facts_sha256")
    for row in iterate_in_batches(rows, by="id", size=_BATCH):
        total += 1
        if facts_json.json_hash(row["facts"]) != row["facts_sha256"]:
            wrong.append((f"verdict:{row['id']}",))
    return build_finding(
        "facts",
        wrong,
        f"The facts of all {total} verdicts match their hash.",
        "The facts of {n} verdicts were changed after the decision.",
        figures={"verdicts": total},
    )


def check_verdicts_rederive(at: datetime) -> Finding:
    """Check that the gate makes the same decision from the stored facts of every verdict.

    Verdicts of an earlier rules version are counted and skipped. To decide them again, run the
    release that had those rules.
    """
    wrong, derived, older = [], 0, 0
    for verdict in iterate_in_batches(Verdict.objects.all(), by="id", size=_BATCH):
        if verdict.rules_version != RULES_VERSION:
            older += 1
            continue
        derived += 1
        if not is_same_verdict(verdict):
            wrong.append((f"verdict:{verdict.pk}",))
    skipped = f" {older} rest on earlier rules versions." if older else ""
    return build_finding(
        "verdicts",
        wrong,
        f"All {derived} verdicts follow from their facts and rules.{skipped}",
        "{n} verdicts do not follow from their facts and rules.",
        figures={"derived": derived, "older": older},
    )


def check_second_opinion(at: datetime) -> Finding:
    """Check every verdict with the independent checker, which shares no code with the gate."""
    wrong, total = [], 0
    columns = ("id", "facts", "facts_sha256", "decision", "reason", "next_allowed_at")
    for row in iterate_in_batches(Verdict.objects.values(*columns), by="id", size=_BATCH):
        total += 1
        until = row["next_allowed_at"]
        if verdict_checker.find_problems(
            {**row, "next_allowed_at": until.isoformat() if until else None}
        ):
            wrong.append((f"verdict:{row['id']}",))
    return build_finding(
        "second opinion",
        wrong,
        f"An independent checker agrees with all {total} verdicts.",
        "An independent checker disagrees with {n} verdicts.",
        figures={"verdicts": total},
    )


def check_routing_rederives(at: datetime) -> Finding:
    """Check that the newest routing decisions follow from their stored inputs.

    The stored columns must match the outcome, and the outcome must follow from the inputs.
    """
    wrong, total = [], 0
    decisions = RoutingDecision.objects.exclude(inputs={})  # empty: the person's data was erased
    rows = decisions.select_related("rule_set").order_by("-at", "-id")[:ROUTING_SAMPLE]
    for decision in rows:
        total += 1
        officer_id = str(decision.officer_id) if decision.officer_id else None
        is_same = decision.outcome["officer_id"] == officer_id
        if not is_same or not replay_decision.is_reproducible(decision):
            wrong.append((f"routing_decision:{decision.pk}",))
    return build_finding(
        "routing",
        wrong,
        f"The last {total} routing decisions follow from their inputs.",
        "{n} routing decisions do not follow from their inputs.",
        figures={"decisions": total},
    )


DEEP_CHECKS: tuple[Callable[[datetime], Finding], ...] = (
    check_facts_unchanged,
    check_verdicts_rederive,
    check_second_opinion,
    check_routing_rederives,
)


def is_same_verdict(stored: Verdict) -> bool:
    """Return True if the gate makes the same decision from the verdict's stored facts."""
    verdict = message_gate.decide(facts_json.facts_from_json(stored.facts))
    return (
        verdict.decision.value == stored.decision
        and verdict.reason == stored.reason
        and verdict.next_allowed_at == stored.next_allowed_at
        and [ruling.as_json() for ruling in verdict.rulings] == stored.results
    )

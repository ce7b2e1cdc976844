"""The deep checks: deciding again what was decided, from what was stored with it."""

from collections.abc import Callable
from datetime import datetime

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.compliance.models import Verdict
from rooftree.reporting.invariants import Finding, build_finding
from rooftree.routing import replay_decision
from rooftree.routing.models import RoutingDecision

ROUTING_SAMPLE = 500  # routing decisions run again, the newest
_BATCH = 500


def check_facts_unchanged(at: datetime) -> Finding:
    """The facts of every verdict still have the hash that was taken of them."""
    wrong, total = [], 0
    rows = Verdict.objects.values_list("id", "facts", "facts_sha256")
    for key, data, sha256 in rows.iterator(chunk_size=_BATCH):
        total += 1
        if facts_json.json_hash(data) != sha256:
            wrong.append((f"verdict:{key}",))
    return build_finding(
        "facts",
        wrong,
        f"The facts of each of {total} verdicts are the ones that were judged.",
        "The facts of {n} verdicts were changed after they were judged.",
        figures={"verdicts": total},
    )


def check_verdicts_rederive(at: datetime) -> Finding:
    """The gate decides on the stored facts of every verdict as it did then.

    Verdicts of an earlier edition of the rules are counted and left: they are
    derived again with the release that had those rules.
    """
    wrong, again, older = [], 0, 0
    for verdict in Verdict.objects.order_by("id").iterator(chunk_size=_BATCH):
        if verdict.rules_version != RULES_VERSION:
            older += 1
            continue
        again += 1
        if not is_same_verdict(verdict):
            wrong.append((f"verdict:{verdict.pk}",))
    left = f" {older} rest on earlier editions of the rules." if older else ""
    return build_finding(
        "verdicts",
        wrong,
        f"Each of {again} verdicts follows again from its facts and rules.{left}",
        "{n} verdicts do not follow from their facts and rules.",
        figures={"derived": again, "older": older},
    )


def check_second_opinion(at: datetime) -> Finding:
    """The independent checker, which shares no code with the gate, finds every verdict sound."""
    wrong, total = [], 0
    columns = ("id", "facts", "facts_sha256", "decision", "reason", "next_allowed_at")
    for row in Verdict.objects.values(*columns).iterator(chunk_size=_BATCH):
        total += 1
        until = row["next_allowed_at"]
        if verdict_checker.find_problems(
            {**row, "next_allowed_at": until.isoformat() if until else None}
        ):
            wrong.append((f"verdict:{row['id']}",))
    return build_finding(
        "second opinion",
        wrong,
        f"An independent checker comes to the same on each of {total} verdicts.",
        "An independent checker disagrees with {n} verdicts.",
        figures={"verdicts": total},
    )


def check_routing_rederives(at: datetime) -> Finding:
    """The newest choices of an officer come out the same from their stored inputs."""
    wrong, total = [], 0
    kept = RoutingDecision.objects.exclude(inputs={})  # of people whose data was let go
    rows = kept.select_related("rule_set").order_by("-at", "-id")[:ROUTING_SAMPLE]
    for decision in rows:
        total += 1
        if not _is_same_choice(decision):
            wrong.append((f"routing_decision:{decision.pk}",))
    return build_finding(
        "routing",
        wrong,
        f"Each of the last {total} routing decisions comes out the same from its inputs.",
        "{n} routing decisions come out otherwise from their inputs.",
        figures={"decisions": total},
    )


DEEP_CHECKS: tuple[Callable[[datetime], Finding], ...] = (
    check_facts_unchanged,
    check_verdicts_rederive,
    check_second_opinion,
    check_routing_rederives,
)


def is_same_verdict(stored: Verdict) -> bool:
    """Whether the gate, asked again about the stored facts, answers as it did."""
    made = message_gate.decide(facts_json.facts_from_json(stored.facts))
    return (
        made.decision.value == stored.decision
        and made.reason == stored.reason
        and made.next_allowed_at == stored.next_allowed_at
        and [ruling.as_json() for ruling in made.rulings] == stored.results
    )


def _is_same_choice(stored: RoutingDecision) -> bool:
    """The columns say what the outcome says, and the outcome follows from the inputs."""
    officer_id = str(stored.officer_id) if stored.officer_id else None
    return stored.outcome["officer_id"] == officer_id and replay_decision.is_reproducible(stored)

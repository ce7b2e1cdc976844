"""The deep checks: deciding again what was decided, from what was stored with it."""

from collections.abc import Callable
from datetime import datetime

from rooftree.compliance import checker, facts_json, gate
from rooftree.compliance.models import Verdict
from rooftree.compliance.rulebook import VERSION
from rooftree.reporting.invariants import Finding, found
from rooftree.routing import replay
from rooftree.routing.models import RoutingDecision

SAMPLE = 500  # routing decisions run again, the newest
_BATCH = 500


def facts_unchanged(at: datetime) -> Finding:
    """The facts of every verdict still have the hash that was taken of them."""
    wrong, total = [], 0
    rows = Verdict.objects.values_list("id", "facts", "facts_sha256")
    for key, data, sha256 in rows.iterator(chunk_size=_BATCH):
        total += 1
        if facts_json.json_hash(data) != sha256:
            wrong.append((f"verdict:{key}",))
    return found(
        "facts",
        wrong,
        f"The facts of each of {total} verdicts are the ones that were judged.",
        "The facts of {n} verdicts were changed after they were judged.",
        figures={"verdicts": total},
    )


def verdicts_again(at: datetime) -> Finding:
    """The gate decides on the stored facts of every verdict as it did then.

    Verdicts of an earlier edition of the rules are counted and left: they are
    derived again with the release that had those rules.
    """
    wrong, again, older = [], 0, 0
    for verdict in Verdict.objects.order_by("id").iterator(chunk_size=_BATCH):
        if verdict.rules_version != VERSION:
            older += 1
            continue
        again += 1
        if not same_verdict(verdict):
            wrong.append((f"verdict:{verdict.pk}",))
    left = f" {older} rest on earlier editions of the rules." if older else ""
    return found(
        "verdicts",
        wrong,
        f"Each of {again} verdicts follows again from its facts and rules.{left}",
        "{n} verdicts do not follow from their facts and rules.",
        figures={"derived": again, "older": older},
    )


def second_opinion(at: datetime) -> Finding:
    """The independent checker, which shares no code with the gate, finds every verdict sound."""
    wrong, total = [], 0
    columns = ("id", "facts", "facts_sha256", "decision", "reason", "next_allowed_at")
    for row in Verdict.objects.values(*columns).iterator(chunk_size=_BATCH):
        total += 1
        until = row["next_allowed_at"]
        if checker.problems({**row, "next_allowed_at": until.isoformat() if until else None}):
            wrong.append((f"verdict:{row['id']}",))
    return found(
        "second opinion",
        wrong,
        f"An independent checker comes to the same on each of {total} verdicts.",
        "An independent checker disagrees with {n} verdicts.",
        figures={"verdicts": total},
    )


def routing_again(at: datetime) -> Finding:
    """The newest choices of an officer come out the same from their stored inputs."""
    wrong, total = [], 0
    kept = RoutingDecision.objects.exclude(inputs={})  # of people whose data was let go
    rows = kept.select_related("rule_set").order_by("-at", "-id")[:SAMPLE]
    for decision in rows:
        total += 1
        if not _same_choice(decision):
            wrong.append((f"routing_decision:{decision.pk}",))
    return found(
        "routing",
        wrong,
        f"Each of the last {total} routing decisions comes out the same from its inputs.",
        "{n} routing decisions come out otherwise from their inputs.",
        figures={"decisions": total},
    )


DEEP: tuple[Callable[[datetime], Finding], ...] = (
    facts_unchanged,
    verdicts_again,
    second_opinion,
    routing_again,
)


def same_verdict(stored: Verdict) -> bool:
    """Whether the gate, asked again about the stored facts, answers as it did."""
    made = gate.decide(facts_json.from_json(stored.facts))
    return (
        made.decision.value == stored.decision
        and made.reason == stored.reason
        and made.next_allowed_at == stored.next_allowed_at
        and [ruling.as_json() for ruling in made.rulings] == stored.results
    )


def _same_choice(stored: RoutingDecision) -> bool:
    """The columns say what the outcome says, and the outcome follows from the inputs."""
    officer_id = str(stored.officer_id) if stored.officer_id else None
    return stored.outcome["officer_id"] == officer_id and replay.agrees(stored)

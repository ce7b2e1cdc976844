"""What a change of a rule would do to the messages in line. Nothing is written.

Each is asked about twice at the moment of its turn, by the gate that sends: under the rules as
they stand, and with the change. Nothing else differs, so what differs is the change's doing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from uuid import UUID

from rooftree.compliance.gate import effective_rules, message_gate
from rooftree.compliance.gate.facts import Facts, get_fact
from rooftree.compliance.gate.rulebook import RELEASE_LIMITS
from rooftree.compliance.gate.verdict import Decision, Verdict
from rooftree.compliance.rule_changes import change_approval
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.outreach.messages import message_verdicts
from rooftree.outreach.models import Message

BATCH_SIZE = 100
MAX_LISTED = 25  # messages that are listed
LATER, EARLIER, STOPPED, ASKED, LET_GO = "later", "earlier", "stopped", "asked", "let_go"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMessage:
    """A message that would not go as it would now; None is not at all."""

    message: Message
    effect: str
    now: datetime | None
    then: datetime | None

    def to_json(self) -> dict[str, Any]:
        """As it is kept beside the change."""
        return {
            "message": str(self.message.pk), "lead": str(self.message.lead_id), "what": self.effect,
            "now": self.now.isoformat() if self.now else None,
            "then": self.then.isoformat() if self.then else None,
        }  # fmt: skip


def preview_rule_change(change: RuleChange, *, at: datetime) -> dict[str, Any]:
    """How many messages of those in line would go later, earlier or not at all, the first named.

    None is asked about for a limit of releases, which no message is decided on.
    """
    if change.item in RELEASE_LIMITS:
        return {"first": []}
    said: Counter[str] = Counter()
    first: list[ChangedMessage] = []
    for keys in _batch_queued_messages():
        said["messages"] += len(keys)
        messages = Message.objects.select_related("template").filter(pk__in=keys).order_by("due_at")
        for changed_message in _find_changed(list(messages), change, at):
            said[changed_message.effect] += 1
            first.append(changed_message)
    first.sort(key=lambda one: (one.now or one.then or at, str(one.message.pk)))
    return {**said, "first": [changed_message.to_json() for changed_message in first[:MAX_LISTED]]}


def _batch_queued_messages() -> Iterator[list[UUID]]:
    """All of them by hands, none with two to one person."""
    rows = Message.objects.filter(direction="out", state__in=["waiting", "held"])
    nth: Counter[UUID] = Counter()
    turns: dict[int, list[UUID]] = defaultdict(list)
    for key, person in rows.order_by("due_at", "pk").values_list("pk", "person_id"):
        turns[nth[person]].append(key)
        nth[person] += 1
    for keys in turns.values():
        yield from (list(some) for some in batched(keys, BATCH_SIZE))


def _find_changed(
    messages: list[Message], change: RuleChange, at: datetime
) -> Iterator[ChangedMessage]:
    for found in message_verdicts.load_inputs(messages, at=at):
        turn = at  # what is held is decided anew when the change is approved
        if found.message.state == "waiting":
            turn = max(found.message.due_at or at, at)
        facts = _refresh_list_dates(message_verdicts.gather_facts_at(found, at=turn), at)
        states = {one.state for one in get_fact(facts.places, "places")}
        if change.place not in (effective_rules.EVERYWHERE, *states):
            continue
        everything = change_approval.changes_with_draft(
            found.records.rule_changes, change, change_approval.change_grounds(change)
        )
        then = replace(facts, amendments=effective_rules.relevant_changes(everything, states, at))
        one = _compare_verdicts(
            found.message, message_gate.decide(facts), message_gate.decide(then), turn
        )
        if one is not None:
            yield one


def _compare_verdicts(
    message: Message, now: Verdict, then: Verdict, turn: datetime
) -> ChangedMessage | None:
    goes, would_go = _send_time(now, turn), _send_time(then, turn)
    if goes == would_go:
        return None
    if goes is None:
        what = LET_GO
    elif would_go is None:
        what = ASKED if then.decision is Decision.REQUIRE else STOPPED
    else:
        what = LATER if would_go > goes else EARLIER
    return ChangedMessage(message=message, effect=what, now=goes, then=would_go)


def _send_time(verdict: Verdict, turn: datetime) -> datetime | None:
    if verdict.decision is Decision.ALLOW:
        return turn
    return verdict.next_allowed_at if verdict.decision is Decision.DEFER else None


def _refresh_list_dates(facts: Facts, at: datetime) -> Facts:
    """The facts with the lists as old as they are today: they are renewed until its turn."""
    turn = get_fact(facts.at, "at")
    days = turn.date() - at.astimezone(UTC).date()
    registry = get_fact(facts.registry_date, "registry_date")
    read_at = get_fact(facts.emergencies_read_at, "emergencies_read_at")
    return replace(
        facts,
        registry_date=registry + days if registry else None,
        emergencies_read_at=read_at + (turn - at) if read_at else None,
        state_lists=tuple(
            replace(one, version_date=one.version_date + days) if one.version_date else one
            for one in get_fact(facts.state_lists, "state_lists")
        ),
    )

"""Dry run of a rule change on the queued messages. Nothing is stored.

The sending gate decides each message twice at the time it is due: under the current rules and
with the change. Nothing else differs, so any difference comes from the change.
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
MAX_LISTED = 25  # changed messages listed one by one
LATER, EARLIER, STOPPED, ASKED, LET_GO = "later", "earlier", "stopped", "asked", "let_go"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMessage:
    """A message whose send time the change would move; a time of None means never sent."""

    message: Message
    effect: str
    now: datetime | None
    then: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the message as JSON, to be stored with the rule change."""
        return {
            "message": str(self.message.pk), "lead": str(self.message.lead_id), "what": self.effect,
            "now": self.now.isoformat() if self.now else None,
            "then": self.then.isoformat() if self.then else None,
        }  # fmt: skip


def preview_rule_change(change: RuleChange, *, at: datetime) -> dict[str, Any]:
    """Count the queued messages that would go earlier, later or never, and list the first.

    Release limits are skipped, since no message is decided on them.
    """
    if change.item in RELEASE_LIMITS:
        return {"first": []}
    counts: Counter[str] = Counter()
    changed: list[ChangedMessage] = []
    for keys in _batch_queued_messages():
        counts["messages"] += len(keys)
        messages = Message.objects.select_related("template").filter(pk__in=keys).order_by("due_at")
        for changed_message in _find_changed(list(messages), change, at):
            counts[changed_message.effect] += 1
            changed.append(changed_message)
    changed.sort(key=lambda row: (row.now or row.then or at, str(row.message.pk)))
    return {**counts, "first": [row.to_json() for row in changed[:MAX_LISTED]]}


def _batch_queued_messages() -> Iterator[list[UUID]]:
    """Yield the ids of all queued messages in batches, no batch with two to one person."""
    rows = Message.objects.filter(direction="out", state__in=["waiting", "held"])
    counts: Counter[UUID] = Counter()
    rounds: dict[int, list[UUID]] = defaultdict(list)
    for key, person_id in rows.order_by("due_at", "pk").values_list("pk", "person_id"):
        rounds[counts[person_id]].append(key)
        counts[person_id] += 1
    for keys in rounds.values():
        yield from (list(batch) for batch in batched(keys, BATCH_SIZE))


def _find_changed(
    messages: list[Message], change: RuleChange, at: datetime
) -> Iterator[ChangedMessage]:
    for inputs in message_verdicts.load_inputs(messages, at=at):
        decide_at = at  # held messages are decided again when the change is approved
        if inputs.message.state == "waiting":
            decide_at = max(inputs.message.due_at or at, at)
        facts = _refresh_list_dates(message_verdicts.gather_facts_at(inputs, at=decide_at), at)
        states = {place.state for place in get_fact(facts.places, "places")}
        if change.place not in (effective_rules.EVERYWHERE, *states):
            continue
        changes = change_approval.changes_with_draft(
            inputs.records.rule_changes, change, change_approval.change_grounds(change)
        )
        facts_after = replace(
            facts, amendments=effective_rules.relevant_changes(changes, states, at)
        )
        changed = _compare_verdicts(
            inputs.message, message_gate.decide(facts), message_gate.decide(facts_after), decide_at
        )
        if changed is not None:
            yield changed


def _compare_verdicts(
    message: Message, now: Verdict, then: Verdict, decide_at: datetime
) -> ChangedMessage | None:
    goes_at, would_go_at = _send_time(now, decide_at), _send_time(then, decide_at)
    if goes_at == would_go_at:
        return None
    if goes_at is None:
        effect = LET_GO
    elif would_go_at is None:
        effect = ASKED if then.decision is Decision.REQUIRE else STOPPED
    else:
        effect = LATER if would_go_at > goes_at else EARLIER
    return ChangedMessage(message=message, effect=effect, now=goes_at, then=would_go_at)


def _send_time(verdict: Verdict, decide_at: datetime) -> datetime | None:
    if verdict.decision is Decision.ALLOW:
        return decide_at
    return verdict.next_allowed_at if verdict.decision is Decision.DEFER else None


def _refresh_list_dates(facts: Facts, at: datetime) -> Facts:
    """Move the list dates forward to the decision time, as the lists are refreshed until then."""
    decide_at = get_fact(facts.at, "at")
    days = decide_at.date() - at.astimezone(UTC).date()
    registry = get_fact(facts.registry_date, "registry_date")
    read_at = get_fact(facts.emergencies_read_at, "emergencies_read_at")
    return replace(
        facts,
        registry_date=registry + days if registry else None,
        emergencies_read_at=read_at + (decide_at - at) if read_at else None,
        state_lists=tuple(
            replace(listing, version_date=listing.version_date + days)
            if listing.version_date
            else listing
            for listing in get_fact(facts.state_lists, "state_lists")
        ),
    )

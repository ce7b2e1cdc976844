"""Dry run of a release: the gate's verdicts about its messages now. Nothing is stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.verdict import Decision
from rooftree.org.models import Company
from rooftree.outreach.messages import automatic_messages, message_verdicts
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.models import Message
from rooftree.outreach.wording.occasions import MEDIUM_NAMES

MAX_EXAMPLES = 3  # messages shown in full


class DryRunTally:
    """The results of a dry run, filled batch by batch."""

    def __init__(self, company: Company) -> None:
        self._zone = ZoneInfo(company.zone)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: list[dict[str, str]] = []
        self.messages = self.people = self.unreachable = 0

    def add_requests(
        self, requests: Sequence[MessageRequest], people: int, *, at: datetime, worded_at: datetime
    ) -> None:
        """Add the messages of more people, each of whom is passed only once.

        Args:
            people: how many people `requests` are for.
        """
        drafts = automatic_messages.draft_requests(requests, at=at, worded_at=worded_at)
        self.people += people
        self.messages += len(drafts)
        self.unreachable += people - len({draft.person_id for draft in drafts})
        for medium in MEDIUM_NAMES:  # the gate decides one message per person at a time
            self._ask_gate([draft for draft in drafts if draft.medium == medium], at)

    def _ask_gate(self, drafts: Sequence[Message], at: datetime) -> None:
        for message, verdict in zip(
            drafts, message_verdicts.preview_verdicts(drafts, at=at), strict=True
        ):
            sentence = verdict.sentence
            if verdict.decision is Decision.DEFER and verdict.next_allowed_at:
                until = verdict.next_allowed_at.astimezone(self._zone)
                sentence = f"On hold until {until:%-I:%M %p, %b %-d}"
            self._counts[verdict.decision.value, sentence] += 1
            if verdict.decision is Decision.ALLOW and len(self._examples) < MAX_EXAMPLES:
                self._examples.append(
                    {"language": message.language, "subject": message.subject, "body": message.body}
                )

    def to_json(self) -> dict[str, Any]:
        """Return the results as JSON, to be stored with the release."""
        rows = [
            {"decision": decision, "said": sentence, "messages": count}
            for (decision, sentence), count in self._counts.most_common()
        ]
        return {
            "people": self.people, "messages": self.messages, "unreachable": self.unreachable,
            "said": rows, "examples": self._examples,
        }  # fmt: skip


def count_messages(findings: dict[str, Any], decision: str) -> int:
    """Count the messages of a dry run with this decision."""
    rows: Iterable[dict[str, Any]] = findings["said"]
    return sum(row["messages"] for row in rows if row["decision"] == decision)

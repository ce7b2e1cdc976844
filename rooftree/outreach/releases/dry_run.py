"""What the gate would say of a release's messages at this moment, by reason. Nothing is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.verdict import Decision, Verdict
from rooftree.org.models import Company
from rooftree.outreach import automatic, decide
from rooftree.outreach.automatic import Wanted
from rooftree.outreach.models import Message
from rooftree.outreach.purposes import MEDIA

EXAMPLES = 3  # messages that are shown as they would read


class Tally:
    """The findings of a dry run, as they grow."""

    def __init__(self, company: Company) -> None:
        self._zone = ZoneInfo(company.zone)
        self._said: Counter[tuple[str, str]] = Counter()
        self._examples: list[dict[str, str]] = []
        self.messages = self.people = self.unreachable = 0

    def look(
        self, wanted: Sequence[Wanted], people: int, *, at: datetime, worded_at: datetime
    ) -> None:
        """Ask the gate about the messages of some more people, each of whom is met once."""
        drafts = automatic.drafts(wanted, at=at, worded_at=worded_at)
        self.people += people
        self.messages += len(drafts)
        self.unreachable += people - len({one.person_id for one in drafts})
        for medium in MEDIA:  # the gate is asked of one message a person at a time
            self._judge([one for one in drafts if one.medium == medium], at)

    def _judge(self, drafts: Sequence[Message], at: datetime) -> None:
        for message, verdict in zip(drafts, decide.would(drafts, at=at), strict=True):
            self._said[verdict.decision.value, self._words(verdict)] += 1
            if verdict.decision is Decision.ALLOW and len(self._examples) < EXAMPLES:
                self._examples.append(
                    {"language": message.language, "subject": message.subject, "body": message.body}
                )

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the release."""
        rows = [
            {"decision": decision, "said": said, "messages": number}
            for (decision, said), number in self._said.most_common()
        ]
        return {
            "people": self.people, "messages": self.messages, "unreachable": self.unreachable,
            "said": rows, "examples": self._examples,
        }  # fmt: skip

    def _words(self, verdict: Verdict) -> str:
        if verdict.decision is Decision.DEFER and verdict.next_allowed_at:
            until = verdict.next_allowed_at.astimezone(self._zone)
            return f"Held until {until:%-I:%M %p, %b %-d}"
        return verdict.sentence


def total(findings: dict[str, Any], decision: str) -> int:
    """How many messages of a dry run got this answer."""
    rows: Iterable[dict[str, Any]] = findings["said"]
    return sum(one["messages"] for one in rows if one["decision"] == decision)

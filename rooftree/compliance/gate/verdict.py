"""A rule's answer (a ruling), and how many rulings become one verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from rooftree.compliance.gate.rulebook import RULES_VERSION


class Decision(StrEnum):
    """The four answers, from the mildest to the strictest."""

    ALLOW = "allow"
    DEFER = "defer"
    REQUIRE = "require"
    BLOCK = "block"


HOUSE = "house"  # the citation of a limit that the company sets itself
STRICTNESS = {decision: rank for rank, decision in enumerate(Decision)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One rule's answer about one set of facts."""

    rule: str  # rulebook id, such as HRS-02
    cite: str
    decision: Decision
    reason: str
    next_allowed_at: datetime | None = None
    deadline: date | None = None
    house_deadline: date | None = None
    detail: str = ""  # a sentence that knows the state and the hour
    version: str = RULES_VERSION

    @property
    def is_house_limit(self) -> bool:
        """True for a deferral that no law asks for: a named person can override it."""
        return self.decision is Decision.DEFER and self.cite == HOUSE

    def as_json(self) -> dict[str, str]:
        """Return the ruling as stored with a verdict."""
        return {
            "id": self.rule,
            "cite": self.cite,
            "decision": self.decision.value,
            "reason": self.reason,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the rulebook and its citation."""

    id: str
    cite: str

    def allow(self, reason: str) -> Ruling:
        """Return a ruling that has no objection."""
        return _cached_ruling(self.id, self.cite, Decision.ALLOW, reason)

    def block(self, reason: str, cite: str = "") -> Ruling:
        """Return a ruling that forbids the message; `cite` replaces the rule's own citation."""
        return _cached_ruling(self.id, cite or self.cite, Decision.BLOCK, reason)

    def require(self, reason: str, due: date | None = None, house: date | None = None) -> Ruling:
        """Return a ruling that a person must do something first, or by `due`.

        `house` is the earlier day that the company sets itself.
        """
        return Ruling(
            rule=self.id,
            cite=self.cite,
            decision=Decision.REQUIRE,
            reason=reason,
            deadline=due,
            house_deadline=house,
        )

    def defer(self, reason: str, until: datetime, cite: str = "", detail: str = "") -> Ruling:
        """Return a ruling that forbids the message now and allows it from `until`."""
        return Ruling(
            rule=self.id,
            cite=cite or self.cite,
            decision=Decision.DEFER,
            reason=reason,
            next_allowed_at=until,
            detail=detail,
        )


@lru_cache(maxsize=2048)
def _cached_ruling(rule: str, cite: str, decision: Decision, reason: str) -> Ruling:
    """Share the few hundred rulings that make up nearly all verdicts."""
    return Ruling(rule=rule, cite=cite, decision=decision, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer about one message at one moment."""

    decision: Decision
    reason: str
    sentence: str  # fit to show to staff
    rulings: tuple[Ruling, ...]
    rules_version: str = RULES_VERSION
    next_allowed_at: datetime | None = None
    deadline: date | None = None
    house_deadline: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as stored and as printed."""
        data: dict[str, Any] = {"decision": self.decision.value, "reason": self.reason}
        for name in ("next_allowed_at", "deadline", "house_deadline"):
            value = getattr(self, name)
            if value is not None:
                data[name] = value.isoformat()
        data["rules"] = [ruling.as_json() for ruling in self.rulings]
        return data


# When every rule allows, the most informative reason speaks for the verdict.
ALLOW_REASON_ORDER = (
    "single_confirmation",
    "decided_by_person",
    "house_limit_overridden",
    "resubscribed",
    "fresh_written_consent",
    "email_unaffected",
    "reply_to_consumer_message",
    "consumer_requested_time",
    "solicited_by_consumer",
    "warn_spam_rate",
    "transactional",
    "consent_based_text_exempt",
    "pewc_valid",
    "informational_express_consent",
    "consumer_invitation",
    "written_permission",
    "ebr_inquiry",
    "ebr_transaction",
    "state_disclosure_ok",
    "manual_call_no_pewc_needed",
    "no_email_hours",
    "under_cap",
    "in_window",
    "state_clear",
)
ALLOW_REASON_RANK = {reason: rank for rank, reason in enumerate(ALLOW_REASON_ORDER)}


def deciding_ruling(rulings: Iterable[Ruling]) -> Ruling | None:
    """Return the ruling that speaks for all: the strictest, then the first in gate order.

    Among equally strict rulings, a rule's own answer comes before a gate that failed.
    Return None for no rulings.
    """
    rulings = list(rulings)
    if not rulings:
        return None
    worst = max(STRICTNESS[ruling.decision] for ruling in rulings)
    strictest = [ruling for ruling in rulings if STRICTNESS[ruling.decision] == worst]
    if worst == STRICTNESS[Decision.ALLOW]:
        return min(
            strictest,
            key=lambda ruling: ALLOW_REASON_RANK.get(ruling.reason, len(ALLOW_REASON_ORDER)),
        )
    answers = [ruling for ruling in strictest if ruling.reason != "gate_failed_closed"]
    return (answers or strictest)[0]

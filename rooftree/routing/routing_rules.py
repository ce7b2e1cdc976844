"""The rules staff edit: which leads each one fits, who takes turns, and what follows silence.

Rules are ordered and the first that fits wins. They are stored as JSON in an
edition (`models.RuleSet`); `rule_check` refuses what is not sound or not lawful,
`rule_words` says a rule in a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

TAKE_SECONDS = 120  # to take a lead, unless a rule says otherwise


class BackupKind(StrEnum):
    """Where a lead goes when nobody took it."""

    POOL = "pool"  # the same pool again, without those who were asked
    OFFICERS = "officers"
    BRANCH = "branch"


class WhenNobody(StrEnum):
    """What happens when nobody of the pool may and can take a lead."""

    ALARM = "alarm"  # the chain's next step, at its end a named person is told
    HOLD = "hold"  # it waits for the first who opens, if opening hours are all that is missing
    POOL = "pool"  # another pool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """All that a rule may know of a lead, and all that is stored to replay a choice."""

    id: str
    source: str  # slug
    purpose: str = ""
    loan_type: str = ""
    state: str = ""  # of the property
    language: str = ""  # stated
    amount_cents: int | None = None
    credit_band: str = ""  # self-reported
    score: int | None = None
    is_repeat: bool = False
    day: str = ""  # mon..sun of its arrival, by the company's clock
    clock: str = ""  # HH:MM of its arrival, by the company's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalSpan:
    """Days and hours of arrival; `from_time` after `until_time` means over midnight."""

    days: tuple[str, ...] = ()  # empty: every day
    from_time: str = "00:00"
    until_time: str = "24:00"  # exclusive

    def covers(self, day: str, clock: str) -> bool:
        if self.days and day not in self.days:
            return False
        if self.from_time <= self.until_time:
            return self.from_time <= clock < self.until_time
        return clock >= self.from_time or clock < self.until_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a lead must be for a rule to fit. What is left empty does not matter."""

    sources: tuple[str, ...] = ()  # slugs
    purposes: tuple[str, ...] = ()  # `refinance` covers its sub-kinds
    states: tuple[str, ...] = ()
    without_state: bool = False
    languages: tuple[str, ...] = ()
    amount_from_cents: int | None = None
    amount_below_cents: int | None = None
    credit_bands: tuple[str, ...] = ()
    score_at_least: int | None = None
    inquiry: str = ""  # new | repeat
    hours: ArrivalSpan | None = None

    def fits(self, lead: LeadFacts) -> bool:
        """Whether the rule is about this lead. A fact that is unknown fits no criterion."""
        return (
            _is_listed(lead.source, self.sources)
            and self._fits_place(lead)
            and self._fits_loan(lead)
            and self._fits_arrival(lead)
        )

    def _fits_place(self, lead: LeadFacts) -> bool:
        # A lead without a state is asked for by name: whoever gets it must find it out.
        if not lead.state or self.without_state:
            return self.without_state and not lead.state
        return _is_listed(lead.state, self.states)

    def _fits_loan(self, lead: LeadFacts) -> bool:
        return (
            (not self.purposes or any(_is_kind(lead.purpose, kind) for kind in self.purposes))
            and _is_listed(lead.credit_band, self.credit_bands)
            and _is_at_least(lead.amount_cents, self.amount_from_cents)
            and _is_below(lead.amount_cents, self.amount_below_cents)
        )

    def _fits_arrival(self, lead: LeadFacts) -> bool:
        return (
            _is_listed(lead.language, self.languages)
            and _is_at_least(lead.score, self.score_at_least)
            and (not self.inquiry or (self.inquiry == "repeat") == lead.is_repeat)
            and (self.hours is None or self.hours.covers(lead.day, lead.clock))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Who takes turns: branches with all below them, single officers; empty is everyone."""

    branches: tuple[str, ...] = ()  # ids
    officers: tuple[str, ...] = ()  # ids
    weights: Mapping[str, int] = field(default_factory=dict)  # officer id to 1..10, usually 1

    @property
    def is_everyone(self) -> bool:
        return not self.branches and not self.officers

    def includes(self, officer_id: str, branch_path: str) -> bool:
        """Whether an officer of the branch at `branch_path` belongs to it."""
        return (
            self.is_everyone
            or officer_id in self.officers
            or any(f"/{branch}/" in branch_path for branch in self.branches)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One step of a chain, walked in silence."""

    kind: BackupKind
    officers: tuple[str, ...] = ()
    branch: str = ""
    take_seconds: int = TAKE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the routing page."""

    name: str
    criteria: Criteria = field(default_factory=Criteria)
    pool: Pool = field(default_factory=Pool)
    take_seconds: int = TAKE_SECONDS
    chain: tuple[Backup, ...] = ()
    nobody: WhenNobody = WhenNobody.ALARM
    nobody_pool: Pool | None = None
    alarm_user_id: str = ""  # "" is the company's

    def pool_at(self, place: int) -> Pool:
        """Who is asked at a place of the chain; 0 is the pool itself.

        Raises IndexError beyond the end of the chain.
        """
        if place == 0:
            return self.pool
        step = self.chain[place - 1]
        if step.kind is BackupKind.POOL:
            return self.pool
        if step.kind is BackupKind.OFFICERS:
            return Pool(officers=step.officers, weights=self.pool.weights)
        return Pool(branches=(step.branch,), weights=self.pool.weights)

    def take_seconds_at(self, place: int) -> int:
        """Seconds to take a lead offered at a place of the chain."""
        return self.chain[place - 1].take_seconds if place else self.take_seconds

    def to_json(self) -> dict[str, Any]:
        """The rule as an edition stores it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The rule an edition stored. `rule_check.read` is for what people typed."""
        return cls(
            **{
                **stored,
                "criteria": _criteria_from_json(stored.get("criteria", {})),
                "pool": _pool_from_json(stored.get("pool", {})),
                "chain": tuple(_backup_from_json(step) for step in stored.get("chain", ())),
                "nobody": WhenNobody(stored.get("nobody", WhenNobody.ALARM)),
                "nobody_pool": _pool_from_json(stored["nobody_pool"])
                if stored.get("nobody_pool")
                else None,
            }
        )


def first_matching_rule(rules: Sequence[Rule], lead: LeadFacts) -> Rule | None:
    """The rule that decides about a lead: the first that fits, or None."""
    return next((rule for rule in rules if rule.criteria.fits(lead)), None)


def _criteria_from_json(stored: Mapping[str, Any]) -> Criteria:
    hours = stored.get("hours")
    found = Criteria(**_lists_to_tuples({**stored, "hours": None}))
    return replace(found, hours=ArrivalSpan(**_lists_to_tuples(hours))) if hours else found


def _pool_from_json(stored: Mapping[str, Any]) -> Pool:
    return Pool(**_lists_to_tuples(stored))


def _backup_from_json(stored: Mapping[str, Any]) -> Backup:
    return Backup(**_lists_to_tuples({**stored, "kind": BackupKind(stored["kind"])}))


def _lists_to_tuples(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
    }


def _is_listed(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _is_kind(purpose: str, kind: str) -> bool:
    return purpose == kind or purpose.startswith(f"{kind}_")


def _is_at_least(value: int | None, least: int | None) -> bool:
    return least is None or (value is not None and value >= least)


def _is_below(value: int | None, limit: int | None) -> bool:
    return limit is None or (value is not None and value < limit)

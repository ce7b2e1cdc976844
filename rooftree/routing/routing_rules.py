"""The routing rules staff edit: criteria, pool, chain and fallback.

Rules are ordered and the first match wins. They are stored as JSON in a
version (`models.RuleSet`). `rule_check` refuses invalid and unlawful rules;
`rule_sentences` describes a rule in a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

TAKE_SECONDS = 120  # to take a lead, unless a rule says otherwise


class BackupKind(StrEnum):
    """Where a lead goes when no one took it."""

    POOL = "pool"  # the same pool again, without officers already asked
    OFFICERS = "officers"
    BRANCH = "branch"


class WhenNobody(StrEnum):
    """What happens when no officer in the pool is eligible for a lead."""

    ALARM = "alarm"  # continue down the chain; at its end notify the alarm contact
    HOLD = "hold"  # wait until the first officer starts work, if only working hours are in the way
    POOL = "pool"  # use another pool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFacts:
    """The only facts of a lead a rule can use, stored with each decision for the replay."""

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
    """Days and hours of arrival; `from_time` after `until_time` means across midnight."""

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
    """The conditions a lead must meet for a rule to match. An empty condition always matches."""

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
        """Return True if the lead meets all criteria. An unknown fact meets no criterion."""
        # A lead without a state needs a rule that names it: its officer must ask for the state.
        if not lead.state or self.without_state:
            fits_place = self.without_state and not lead.state
        else:
            fits_place = _is_listed(lead.state, self.states)
        return (
            _is_listed(lead.source, self.sources)
            and fits_place
            and self._fits_loan(lead)
            and self._fits_arrival(lead)
        )

    def _fits_loan(self, lead: LeadFacts) -> bool:
        amount, limit = lead.amount_cents, self.amount_below_cents
        fits_purpose = not self.purposes or any(
            lead.purpose == kind or lead.purpose.startswith(f"{kind}_") for kind in self.purposes
        )
        return (
            fits_purpose
            and _is_listed(lead.credit_band, self.credit_bands)
            and _is_at_least(amount, self.amount_from_cents)
            and (limit is None or (amount is not None and amount < limit))
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
    """The officers who take turns: branches with all below them, and officers; empty is all."""

    branches: tuple[str, ...] = ()  # ids
    officers: tuple[str, ...] = ()  # ids
    weights: Mapping[str, int] = field(default_factory=dict)  # officer id to 1..10, usually 1

    @property
    def is_everyone(self) -> bool:
        return not self.branches and not self.officers

    def includes(self, officer_id: str, branch_path: str) -> bool:
        """Return True if an officer of the branch at `branch_path` belongs to the pool."""
        return (
            self.is_everyone
            or officer_id in self.officers
            or any(f"/{branch}/" in branch_path for branch in self.branches)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One step of a chain, walked when no one took the lead in time."""

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
    alarm_user_id: str = ""  # "": the company's alarm contact

    def pool_at(self, place: int) -> Pool:
        """Return the pool at a place in the chain; 0 is the rule's own pool.

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
        """Return the seconds to take a lead offered at a place in the chain."""
        return self.chain[place - 1].take_seconds if place else self.take_seconds

    def to_json(self) -> dict[str, Any]:
        """Return the rule as a version stores it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Build a rule a version stored. For typed rules use `rule_check.parse_rules`."""
        criteria = stored.get("criteria", {})
        hours = criteria.get("hours")
        span = ArrivalSpan(**_lists_to_tuples(hours)) if hours else None
        chain = stored.get("chain", ())
        return cls(
            **{
                **stored,
                "criteria": Criteria(**_lists_to_tuples({**criteria, "hours": span})),
                "pool": _pool_from_json(stored.get("pool", {})),
                "chain": tuple(
                    Backup(**_lists_to_tuples({**step, "kind": BackupKind(step["kind"])}))
                    for step in chain
                ),
                "nobody": WhenNobody(stored.get("nobody", WhenNobody.ALARM)),
                "nobody_pool": _pool_from_json(stored["nobody_pool"])
                if stored.get("nobody_pool")
                else None,
            }
        )


def first_matching_rule(rules: Sequence[Rule], lead: LeadFacts) -> Rule | None:
    """Return the first rule that matches a lead, or None."""
    return next((rule for rule in rules if rule.criteria.fits(lead)), None)


def _pool_from_json(stored: Mapping[str, Any]) -> Pool:
    return Pool(**_lists_to_tuples(stored))


def _lists_to_tuples(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
    }


def _is_listed(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _is_at_least(value: int | None, least: int | None) -> bool:
    return least is None or (value is not None and value >= least)

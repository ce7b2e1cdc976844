"""Comparison of how groups of leads were served, and of which differences need review. Pure.

Each group is compared with one reference group. A ratio above 1 means that the group was served
more slowly or less often. Source of rule: FLR-01 (12 CFR 1002.4(a); 42 USC 3605).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from math import isinf
from typing import Any

from rooftree.compliance.fair_lending import permitted_factors
from rooftree.compliance.gate.verdict import Decision
from rooftree.core import confidence_intervals
from rooftree.core.confidence_intervals import Estimate

MIN_GROUP_SIZE = 30  # leads; smaller groups are not shown
CONFIDENCE_LEVEL = 0.95
MINORITY_BANDS = (10, 20, 50, 80)  # percent, upper bounds: the census bands that examiners use
WORKED_WITHIN_DAYS = 7  # days in which a lead should have been worked
MIN_ATTEMPTS = 3  # in that time, unless staff talked with the borrower first


class Grouping(StrEnum):
    """The attribute that groups leads."""

    LANGUAGE = "language"
    PLACE = "place"


class Measure(StrEnum):
    """The compared measure."""

    RESPONSE = "response"
    FIRST_OFFER = "first_offer"
    WORKED = "worked"
    HANDED_OFF = "handed_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInfo:
    """The texts of a measure, and for how many days after a month its leads are followed."""

    label: str
    meaning: str
    days: int


MEASURES = {
    Measure.RESPONSE: MeasureInfo(
        label="Response time",
        meaning="Median minutes to the first attempt by staff. A lead without an attempt within "
        "seven days counts as seven days.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.FIRST_OFFER: MeasureInfo(
        label="Accepted at first offer",
        meaning="Share of offered leads accepted by the first loan officer offered.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.WORKED: MeasureInfo(
        label="Attempts",
        meaning="Share of leads with three attempts by staff or a conversation within seven days.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.HANDED_OFF: MeasureInfo(
        label="Handed off",
        meaning="Share of leads handed off to the LOS within thirty days.",
        days=30,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOutcome:
    """How one lead was served. None: the lead doesn't count for the measure."""

    language: str  # as stated; "" if none was
    minority_pct: float | None  # at the property's place
    minutes: float | None  # to the first attempt by staff; None: no attempt
    first_offer: bool | None
    worked: bool
    handed_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group as a report stores it. For a group that is too small, only the name is stored."""

    name: str
    is_small: bool = False
    is_reference: bool = False
    leads: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ratio: float | None = None  # to the reference; None also if infinite
    ratio_low: float | None = None
    ratio_high: float | None = None
    needs_review: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return asdict(self)

    @property
    def may_be_chance(self) -> bool:
        return self.ratio_low is None or self.ratio_low <= 1


def compare_groups(
    outcomes: Iterable[LeadOutcome], measure: Measure
) -> dict[Grouping, list[Group]]:
    """Compare every group with the reference: the first group in order with enough leads."""
    values: dict[Grouping, dict[str, list[float]]] = {by: {} for by in Grouping}
    for outcome in outcomes:
        value = _measure_value(outcome, measure)
        pct = outcome.minority_pct
        names = {
            Grouping.LANGUAGE: outcome.language,
            Grouping.PLACE: None if pct is None else minority_band(pct),  # None: in no group
        }
        for by, name in names.items():
            if value is not None and name is not None:
                values[by].setdefault(name, []).append(value)
    large_counts = [
        sum(len(group) >= MIN_GROUP_SIZE for group in groups.values()) for groups in values.values()
    ]
    number = sum(max(0, count - 1) for count in large_counts)  # of comparisons: Bonferroni
    level = 1 - (1 - CONFIDENCE_LEVEL) / (2 * max(1, number))
    return {by: _compare_to_reference(groups, by, measure, level) for by, groups in values.items()}


def count_comparisons(groups: Mapping[Grouping, Sequence[Group]]) -> int:
    """Count the comparisons of a report; its ratio intervals hold for all of them at once."""
    return sum(group.ratio_low is not None for row in groups.values() for group in row)


def minority_band(minority_pct: float) -> str:
    """Return the minority band of a place, as `20–50%`."""
    low = 0
    for bound in MINORITY_BANDS:
        if minority_pct < bound:
            return f"{low}–{bound}%"
        low = bound
    return f"{low}–100%"


def _compare_to_reference(
    groups: Mapping[str, Sequence[float]], by: Grouping, measure: Measure, level: float
) -> list[Group]:
    # English first and no stated language last; bands from the smallest share.
    order = sorted(
        groups,
        key=lambda name: (
            int(name.partition("–")[0]) if by is Grouping.PLACE else {"en": 0, "": 2}.get(name, 1),
            name,
        ),
    )
    reference = next((name for name in order if len(groups[name]) >= MIN_GROUP_SIZE), None)
    compared = []
    for name in order:
        values = groups[name]
        if len(values) < MIN_GROUP_SIZE or reference is None:
            compared.append(Group(name=name, is_small=True))
            continue
        group = _summarize_group(name, values, measure)
        if name == reference:
            compared.append(replace(group, is_reference=True))
        else:
            ratio = _estimate_ratio(values, groups[reference], measure, level)
            compared.append(_add_ratio(group, ratio))
    return compared


def _summarize_group(name: str, values: Sequence[float], measure: Measure) -> Group:
    estimate = _estimate(values, measure, CONFIDENCE_LEVEL)
    return Group(
        name=name, leads=len(values), value=estimate.value, low=_finite_or_none(estimate.low),
        high=_finite_or_none(estimate.high),
    )  # fmt: skip


def _add_ratio(group: Group, ratio: Estimate) -> Group:
    """Return the group with its ratio to the reference, and whether it needs review."""
    ruling = permitted_factors.check_outcome_ratio(ratio=round(ratio.value, 9))
    return replace(
        group,
        ratio=_finite_or_none(ratio.value),
        ratio_low=ratio.low,
        ratio_high=_finite_or_none(ratio.high),
        needs_review=ruling.decision is Decision.REQUIRE,
    )


def _estimate_ratio(
    values: Sequence[float], reference: Sequence[float], measure: Measure, level: float
) -> Estimate:
    """Estimate how many times slower, or less often, the group was served."""
    group_estimate = _estimate(values, measure, level)
    reference_estimate = _estimate(reference, measure, level)
    if measure is Measure.RESPONSE:
        return confidence_intervals.estimate_ratio(group_estimate, reference_estimate)
    return confidence_intervals.estimate_ratio(reference_estimate, group_estimate)


def _estimate(values: Sequence[float], measure: Measure, level: float) -> Estimate:
    if measure is Measure.RESPONSE:
        return confidence_intervals.estimate_median(values, level=level)
    return confidence_intervals.estimate_share(round(sum(values)), len(values), level=level)


def _measure_value(outcome: LeadOutcome, measure: Measure) -> float | None:
    if measure is Measure.RESPONSE:
        longest = float(WORKED_WITHIN_DAYS * 24 * 60)
        return longest if outcome.minutes is None else min(longest, max(1.0, outcome.minutes))
    if measure is Measure.FIRST_OFFER:
        return None if outcome.first_offer is None else float(outcome.first_offer)
    return float(outcome.worked if measure is Measure.WORKED else outcome.handed_off)


def _finite_or_none(value: float) -> float | None:
    """Return None for infinity, which JSON cannot hold."""
    return None if isinf(value) else value

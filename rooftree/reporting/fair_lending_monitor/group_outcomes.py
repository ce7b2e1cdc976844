"""How groups of leads were served, side by side, and what differs too much. Pure.

Each group is compared with one reference group. A ratio above 1 says that the group was
served slower or less often. Source of rule: FLR-01 (12 CFR 1002.4(a); 42 USC 3605).
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

MIN_GROUP_SIZE = 30  # leads of a group; one with fewer is not shown
CONFIDENCE_LEVEL = 0.95
MINORITY_BANDS = (10, 20, 50, 80)  # percent, upper bounds: the census bands that examiners use
WORKED_WITHIN_DAYS = 7  # days in which a lead should have been worked
MIN_ATTEMPTS = 3  # in them, unless somebody talked before


class Grouping(StrEnum):
    """What leads are grouped by."""

    LANGUAGE = "language"
    PLACE = "place"


class Measure(StrEnum):
    """What is compared."""

    RESPONSE = "response"
    FIRST_OFFER = "first_offer"
    WORKED = "worked"
    HANDED_OFF = "handed_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureInfo:
    """A measure in words, and how long after a month its leads are followed."""

    label: str
    meaning: str
    days: int


MEASURES = {
    Measure.RESPONSE: MeasureInfo(
        label="Response time",
        meaning="Median minutes until a person first tried. A lead nobody tried within seven days "
        "counts as seven days.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.FIRST_OFFER: MeasureInfo(
        label="Taken at the first offer",
        meaning="Share of offered leads that the first officer asked took.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.WORKED: MeasureInfo(
        label="Attempts",
        meaning="Share that was tried three times by a person, or talked with, within seven days.",
        days=WORKED_WITHIN_DAYS,
    ),
    Measure.HANDED_OFF: MeasureInfo(
        label="Handed off",
        meaning="Share that was handed to the LOS within thirty days.",
        days=30,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOutcome:
    """How one lead was served. None: it says nothing about the measure."""

    language: str  # stated; "" where none was
    minority_pct: float | None  # of the people where the property is
    minutes: float | None  # until a person tried
    first_offer: bool | None
    worked: bool
    handed_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group as a report stores it. Of one that is too small only its name is kept."""

    name: str
    is_small: bool = False
    is_reference: bool = False
    leads: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ratio: float | None = None  # to the reference; None also where it has no end
    ratio_low: float | None = None
    ratio_high: float | None = None
    needs_review: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def may_be_chance(self) -> bool:
        return self.ratio_low is None or self.ratio_low <= 1


def compare_groups(served: Iterable[LeadOutcome], measure: Measure) -> dict[Grouping, list[Group]]:
    """Every group beside its reference: the first of the order that has enough leads."""
    sorted_out: dict[Grouping, dict[str, list[float]]] = {by: {} for by in Grouping}
    for lead_outcome in served:
        value = _measure_value(lead_outcome, measure)
        for by, name in _group_names(lead_outcome).items():
            if value is not None and name is not None:
                sorted_out[by].setdefault(name, []).append(value)
    number = sum(max(0, _count_large_groups(groups) - 1) for groups in sorted_out.values())
    level = 1 - (1 - CONFIDENCE_LEVEL) / (2 * max(1, number))
    return {
        by: _compare_to_reference(groups, by, measure, level) for by, groups in sorted_out.items()
    }


def count_comparisons(groups: Mapping[Grouping, Sequence[Group]]) -> int:
    """How many comparisons a report made: its ratios' intervals hold for all of them at once."""
    return sum(one.ratio_low is not None for some in groups.values() for one in some)


def minority_band(minority_pct: float) -> str:
    """The band a place falls in, as `20–50%`."""
    low = 0
    for bound in MINORITY_BANDS:
        if minority_pct < bound:
            return f"{low}–{bound}%"
        low = bound
    return f"{low}–100%"


def _compare_to_reference(
    groups: Mapping[str, Sequence[float]], by: Grouping, measure: Measure, level: float
) -> list[Group]:
    order = sorted(groups, key=lambda name: _group_order(name, by))
    reference = next((name for name in order if len(groups[name]) >= MIN_GROUP_SIZE), None)
    made = []
    for name in order:
        values = groups[name]
        if len(values) < MIN_GROUP_SIZE or reference is None:
            made.append(Group(name=name, is_small=True))
            continue
        shown = _summarize_group(name, values, measure)
        if name == reference:
            made.append(replace(shown, is_reference=True))
        else:
            made.append(_add_ratio(shown, _ratio(values, groups[reference], measure, level)))
    return made


def _summarize_group(name: str, values: Sequence[float], measure: Measure) -> Group:
    found = _estimate(values, measure, CONFIDENCE_LEVEL)
    return Group(
        name=name, leads=len(values), value=found.value, low=_finite_or_none(found.low),
        high=_finite_or_none(found.high),
    )  # fmt: skip


def _add_ratio(group: Group, ratio: Estimate) -> Group:
    """The group with its ratio to the reference, and whether a person must look at it."""
    ruling = permitted_factors.check_outcome_ratio(ratio=round(ratio.value, 9))
    return replace(
        group,
        ratio=_finite_or_none(ratio.value),
        ratio_low=ratio.low,
        ratio_high=_finite_or_none(ratio.high),
        needs_review=ruling.decision is Decision.REQUIRE,
    )


def _ratio(
    values: Sequence[float], reference: Sequence[float], measure: Measure, level: float
) -> Estimate:
    """How many times slower, or less often, the group was served."""
    here, there = _estimate(values, measure, level), _estimate(reference, measure, level)
    if measure is Measure.RESPONSE:
        return confidence_intervals.estimate_ratio(here, there)
    return confidence_intervals.estimate_ratio(there, here)


def _estimate(values: Sequence[float], measure: Measure, level: float) -> Estimate:
    if measure is Measure.RESPONSE:
        return confidence_intervals.estimate_median(values, level=level)
    return confidence_intervals.estimate_share(round(sum(values)), len(values), level=level)


def _measure_value(one: LeadOutcome, measure: Measure) -> float | None:
    if measure is Measure.RESPONSE:
        most = WORKED_WITHIN_DAYS * 24 * 60
        return float(most) if one.minutes is None else min(float(most), max(1.0, one.minutes))
    if measure is Measure.FIRST_OFFER:
        return None if one.first_offer is None else float(one.first_offer)
    return float(one.worked if measure is Measure.WORKED else one.handed_off)


def _group_names(one: LeadOutcome) -> dict[Grouping, str | None]:
    """The group a lead is in; None: it is in none, as nothing is known of its place."""
    place = None if one.minority_pct is None else minority_band(one.minority_pct)
    return {Grouping.LANGUAGE: one.language, Grouping.PLACE: place}


def _group_order(name: str, by: Grouping) -> tuple[int, str]:
    """English first, none stated last; the bands from the smallest share."""
    if by is Grouping.PLACE:
        return int(name.partition("–")[0]), name
    return (0 if name == "en" else 1 if name else 2), name


def _count_large_groups(groups: Mapping[str, Sequence[float]]) -> int:
    return sum(len(values) >= MIN_GROUP_SIZE for values in groups.values())


def _finite_or_none(value: float) -> float | None:
    """A number as JSON can hold it; None: it has no end."""
    return None if isinf(value) else value

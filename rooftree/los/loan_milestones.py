"""The ranked canonical milestones, and how new steps of a loan are found and inferred."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

DATA_DIR = Path(__file__).parent / "data"
# Steps that every loan passes, so that a later step proves them. The others
# (prequalified, preapproved, resubmitted, final_approval, shipped, purchased)
# are skipped by many loans, and inferring them would be inventing history.
EVERY_LOAN_PASSES = (
    "lead_in_los",
    "application",
    "processing",
    "submitted_to_underwriting",
    "conditional_approval",
    "clear_to_close",
    "docs_out",
    "docs_signed",
    "closed",
    "funded",
)
# A message to the borrower about one of these would precede the creditor's own
# notice: Regulation B, 12 CFR 1002.9.
NEVER_ANNOUNCED = frozenset({"pre_deny", "denied", "counter_offer", "incomplete", "suspended"})

LABELS = {"lead_in_los": "Lead in the LOS", "docs_out": "Documents out", "docs_signed": "Signed"}


class UnmappedStatus(Exception):
    """The LOS uses a status that is missing from the status map."""


class MilestoneKind(StrEnum):
    """The effect of a milestone on the file."""

    FUNNEL = "funnel"  # a ranked step
    SIDE = "side"  # the file stays open, beside the funnel
    TERMINAL = "terminal"  # over, until a later step re-opens it
    NEUTRAL = "neutral"  # says nothing on the outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalMilestone:
    """One canonical milestone."""

    code: str
    rank: int | None  # funnel only
    kind: MilestoneKind
    open: bool  # such a file can still fund
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One step that a fresh read of the LOS shows, and the day it was reached."""

    code: str
    on: date | None  # the LOS's own date, never the day of reading
    source_status: str  # the LOS's own words: a status, or a field id


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """One step that is already recorded, in the order of recording."""

    code: str
    on: date | None
    is_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """One step to record."""

    code: str
    rank: int | None
    on: date | None
    source_status: str
    is_inferred: bool = False  # not seen: a later step proves it
    is_return: bool = False  # the file came back to a step it had reached before


@cache
def all_milestones() -> Mapping[str, CanonicalMilestone]:
    """Return every canonical milestone by its code, in the order of the list."""
    rows = json.loads((DATA_DIR / "canonical_milestones.json").read_text(encoding="utf-8"))
    return {
        row["code"]: CanonicalMilestone(**{**row, "kind": MilestoneKind(row["kind"])})
        for row in rows
    }


def find_new_steps(
    recorded: Sequence[RecordedStep],
    observed: Iterable[ObservedStep],
    *,
    previous_milestone: str,
    current_milestone: str,
) -> tuple[NewStep, ...]:
    """Return the steps that a fresh read adds to the recorded ones, lower ranks first.

    Args:
        recorded: every step recorded for this loan so far.
        observed: every step the LOS now shows, in any order.
        previous_milestone: the current milestone at the last read; "" at the first.
        current_milestone: the current milestone now; "" when the LOS doesn't say.

    A funnel step is recorded once, with the day it was first reached; an inferred step
    is recorded again when the LOS shows it or its day. Steps that a later step proves
    are inferred. A file that returns to a step, or falls back from one, adds a step and
    removes none. Reading the same state twice returns nothing.
    """
    earliest = _earliest_observations(observed)
    new_steps = [
        _build_step(observation)
        for observation in earliest.values()
        if _is_new_step(observation, recorded, is_funnel(observation.code))
    ]
    known_codes = {row.code for row in recorded} | {step.code for step in new_steps}
    if (
        current_milestone
        and current_milestone != previous_milestone
        and not any(step.code == current_milestone for step in new_steps)
    ):
        observation = earliest.get(current_milestone) or ObservedStep(
            code=current_milestone, on=None, source_status=""
        )
        new_steps.append(_build_step(observation, is_return=current_milestone in known_codes))
    new_steps += _infer_steps(known_codes | {step.code for step in new_steps}, earliest)
    # Ranked steps by rank, then unranked ones; a return to a step comes last.
    return tuple(
        sorted(
            new_steps,
            key=lambda step: (
                step.is_return,
                step.rank is None,
                step.rank or 0,
                step.on or date.min,
                step.code,
            ),
        )
    )


def highest_milestone(codes: Iterable[str]) -> str:
    """Return the code with the highest rank among `codes`; "" when none is ranked."""
    ranked = [code for code in codes if is_funnel(code)]
    return max(ranked, key=lambda code: all_milestones()[code].rank or 0, default="")


def is_funnel(code: str) -> bool:
    """Return True if the milestone has a rank in the funnel."""
    return all_milestones()[code].kind is MilestoneKind.FUNNEL


def _earliest_observations(observed: Iterable[ObservedStep]) -> dict[str, ObservedStep]:
    """Keep one observation per code: the earliest known day."""
    earliest: dict[str, ObservedStep] = {}
    for observation in observed:
        earlier = earliest.get(observation.code)
        if earlier is None or (
            observation.on and (earlier.on is None or observation.on < earlier.on)
        ):
            earliest[observation.code] = observation
    return earliest


def _is_new_step(
    observation: ObservedStep, recorded: Sequence[RecordedStep], in_funnel: bool
) -> bool:
    same_code = [row for row in recorded if row.code == observation.code]
    if not same_code:
        return True
    if not in_funnel:
        return observation.on is not None and all(row.on != observation.on for row in same_code)
    return all(row.is_inferred for row in same_code)


def _infer_steps(known_codes: set[str], observed: Mapping[str, ObservedStep]) -> list[NewStep]:
    top = (
        all_milestones()[highest_milestone(known_codes)].rank
        if highest_milestone(known_codes)
        else None
    )
    if top is None:
        return []
    return [
        NewStep(
            code=code, rank=all_milestones()[code].rank, on=None, source_status="", is_inferred=True
        )
        for code in EVERY_LOAN_PASSES
        if code not in known_codes
        and code not in observed
        and (all_milestones()[code].rank or 0) < top
    ]


def _build_step(observation: ObservedStep, *, is_return: bool = False) -> NewStep:
    rank = all_milestones()[observation.code].rank
    return NewStep(
        code=observation.code,
        rank=rank,
        on=observation.on,
        source_status=observation.source_status,
        is_return=is_return,
    )


def load_status_map(los: str) -> Mapping[str, Any]:
    """Load the default status map of one LOS."""
    text = (DATA_DIR / f"{los}_status.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def milestone_label(code: str) -> str:
    """Return a milestone's name for staff: `Clear to close`."""
    return LABELS.get(code) or code.replace("_", " ").capitalize()

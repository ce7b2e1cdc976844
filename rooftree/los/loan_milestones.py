"""From an LOS's own statuses and dates to our ranked milestones, and what is new about them."""

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
# A message to the borrower on one of these would run ahead of the creditor's own
# notice: Regulation B, 12 CFR 1002.9.
NEVER_ANNOUNCED = frozenset({"pre_deny", "denied", "counter_offer", "incomplete", "suspended"})

LABELS = {"lead_in_los": "Lead in the LOS", "docs_out": "Documents out", "docs_signed": "Signed"}


class UnmappedStatus(Exception):
    """The LOS uses a status that nobody has said the meaning of."""


class MilestoneKind(StrEnum):
    """What a milestone says about the file."""

    FUNNEL = "funnel"  # a ranked step
    SIDE = "side"  # the file stays open, beside the funnel
    TERMINAL = "terminal"  # over, until a later step re-opens it
    NEUTRAL = "neutral"  # says nothing on the outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalMilestone:
    """One of our canonical milestones."""

    code: str
    rank: int | None  # funnel only
    kind: MilestoneKind
    open: bool  # such a file can still fund
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStep:
    """One fact of a fresh read: the LOS holds this step, reached on this day."""

    code: str
    on: date | None  # the LOS's own date, never the day of reading
    source_status: str  # the LOS's own words: a status, or a field id


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """One step that is already written down, in the order of writing."""

    code: str
    on: date | None
    is_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """One step to write down."""

    code: str
    rank: int | None
    on: date | None
    source_status: str
    is_inferred: bool = False  # not seen: a later step proves it
    is_return: bool = False  # the file came back to a step it had reached before


@cache
def all_milestones() -> Mapping[str, CanonicalMilestone]:
    """Every canonical milestone by its code, in the order of the list."""
    rows = json.loads((DATA_DIR / "canonical_milestones.json").read_text(encoding="utf-8"))
    return {
        row["code"]: CanonicalMilestone(**{**row, "kind": MilestoneKind(row["kind"])})
        for row in rows
    }


def find_new_steps(
    recorded: Sequence[RecordedStep],
    seen: Iterable[ObservedStep],
    *,
    previous_milestone: str,
    current_milestone: str,
) -> tuple[NewStep, ...]:
    """What a fresh read adds to what is written down, earlier ranks first.

    Args:
        recorded: everything written for this loan so far.
        seen: every step the LOS now shows, in any order.
        stood_at: where the file stood at the last read; "" at the first.
        stands_at: where it stands now; "" when the LOS does not say.

    A funnel step is written once, with the day it was first reached; a step that
    was only inferred is written again when the LOS shows it or its day. Steps
    that a later one proves are inferred. A file that comes back to a step, or
    falls back from one, adds an event and takes nothing away. Reading the same
    twice gives nothing new.
    """
    first = _earliest_observations(seen)
    events = [
        _build_step(fact)
        for fact in first.values()
        if _is_new_step(fact, recorded, is_funnel(fact.code))
    ]
    known = {row.code for row in recorded} | {event.code for event in events}
    if (
        current_milestone
        and current_milestone != previous_milestone
        and not any(e.code == current_milestone for e in events)
    ):
        fact = first.get(current_milestone) or ObservedStep(
            code=current_milestone, on=None, source_status=""
        )
        events.append(_build_step(fact, again=current_milestone in known))
    events += _infer_steps(known | {event.code for event in events}, first)
    return tuple(sorted(events, key=_step_order))


def highest_milestone(codes: Iterable[str]) -> str:
    """The code of the highest rank among `codes`; "" when none is ranked."""
    ranked = [code for code in codes if is_funnel(code)]
    return max(ranked, key=lambda code: all_milestones()[code].rank or 0, default="")


def is_funnel(code: str) -> bool:
    """The step has a rank."""
    return all_milestones()[code].kind is MilestoneKind.FUNNEL


def _earliest_observations(seen: Iterable[ObservedStep]) -> dict[str, ObservedStep]:
    """One fact a code: the earliest day where any is known."""
    first: dict[str, ObservedStep] = {}
    for fact in seen:
        held = first.get(fact.code)
        if held is None or (fact.on and (held.on is None or fact.on < held.on)):
            first[fact.code] = fact
    return first


def _is_new_step(fact: ObservedStep, recorded: Sequence[RecordedStep], funnel: bool) -> bool:
    mine = [row for row in recorded if row.code == fact.code]
    if not mine:
        return True
    if not funnel:
        return fact.on is not None and all(row.on != fact.on for row in mine)
    return all(row.is_inferred for row in mine)


def _infer_steps(known: set[str], first: Mapping[str, ObservedStep]) -> list[NewStep]:
    top = all_milestones()[highest_milestone(known)].rank if highest_milestone(known) else None
    if top is None:
        return []
    return [
        NewStep(
            code=code, rank=all_milestones()[code].rank, on=None, source_status="", is_inferred=True
        )
        for code in EVERY_LOAN_PASSES
        if code not in known and code not in first and (all_milestones()[code].rank or 0) < top
    ]


def _build_step(fact: ObservedStep, *, again: bool = False) -> NewStep:
    rank = all_milestones()[fact.code].rank
    return NewStep(
        code=fact.code, rank=rank, on=fact.on, source_status=fact.source_status, is_return=again
    )


def _step_order(event: NewStep) -> tuple[int, bool, int, date, str]:
    """Ranked steps by rank, then what has none; a return to a step comes last."""
    unranked = event.rank is None
    return (int(event.is_return), unranked, event.rank or 0, event.on or date.min, event.code)


def load_status_map(los: str) -> Mapping[str, Any]:
    """The default status map of one LOS."""
    text = (DATA_DIR / f"{los}_status.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def milestone_label(code: str) -> str:
    """A milestone's code as staff say it: `Clear to close`."""
    return LABELS.get(code) or code.replace("_", " ").capitalize()

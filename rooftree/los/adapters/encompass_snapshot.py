"""What Encompass's fields and milestones say about a loan. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.los.loan_milestones import (
    CanonicalMilestone,
    MilestoneKind,
    ObservedStep,
    UnmappedStatus,
    all_milestones,
    highest_milestone,
)
from rooftree.los.loan_snapshot import LoanSnapshot
from rooftree.los.status_mapping import milestone_for_status

ALWAYS_READ = ("4495", "364", "1393", "749", "761", "762", "763")
APPROVAL_FIELDS = ("2301", "2305")
CLEAR_TO_CLOSE_RANK = 90  # a step beyond clear to close shows that a suspension is over


def required_field_ids(
    statuses: Mapping[str, Any], reads: Mapping[str, Any], lead_id_field: str
) -> list[str]:
    """The field ids that a reading needs."""
    asked = [*ALWAYS_READ, *statuses["date_fields"], *reads.get("amount", ())]
    asked += [*reads.get("revenue", ()), *_notice_fields(reads).values(), lead_id_field]
    return [name for name in dict.fromkeys(asked) if name]


def build_snapshot(
    loan_id: str,
    held: Mapping[str, str],
    steps: Sequence[Mapping[str, Any]],
    *,
    statuses: Mapping[str, Any],
    reads: Mapping[str, Any],
    lead_id_field: str,
) -> LoanSnapshot:
    """The loan in our words.

    Args:
        held: field id to Encompass's text.
        steps: the loan's milestones as the API lists them.
        statuses: the lender's status map.
        reads: which fields are the amount, the revenue, and the days notices were sent.

    A date beats the name of a milestone. Field 1393 ends a file whatever its
    milestones say, because a denial is no milestone in Encompass.
    """
    seen, unmapped = _observe_steps(held, steps, statuses)
    action, said = _action_taken(held, statuses)
    if said:
        unmapped.append(said)
    if action and action.code not in seen:
        day = _parse_day(held.get("749"))
        seen[action.code] = ObservedStep(
            code=action.code, on=day, source_status=f"1393={held.get('1393', '')}"
        )
    ended = action.code if action and action.kind is MilestoneKind.TERMINAL else ""
    return LoanSnapshot(
        loan_id=loan_id,
        loan_number=held.get("364", ""),
        lead_id=held.get(lead_id_field) or held.get("4495", ""),
        observed_steps=tuple(seen.values()),
        current_milestone=ended or _current_milestone(held, seen),
        ended_as=ended,
        amount_cents=next(
            (cents for name in reads.get("amount", ()) if (cents := _parse_cents(held.get(name)))),
            None,
        ),
        revenue_cents=_sum_known(_parse_cents(held.get(name)) for name in reads.get("revenue", ())),
        application_date=_step_date(seen, "application"),
        funded_date=_step_date(seen, "funded"),
        lock_date=_parse_day(held.get("761")),
        lock_expires_date=_parse_day(held.get("762")),
        closing_date=_parse_day(held.get("763")),
        notices={
            kind: on
            for kind, name in _notice_fields(reads).items()
            if (on := _parse_day(held.get(name)))
        },
        unmapped_statuses=tuple(unmapped),
        raw=dict(held),
    )


def _notice_fields(reads: Mapping[str, Any]) -> Mapping[str, str]:
    """The fields of disclosure tracking, by the kind of notice."""
    found: Mapping[str, str] = reads.get("notices", {})
    return found


def _observe_steps(
    held: Mapping[str, str], steps: Sequence[Mapping[str, Any]], statuses: Mapping[str, Any]
) -> tuple[dict[str, ObservedStep], list[str]]:
    seen: dict[str, ObservedStep] = {}
    for name in statuses["date_fields"]:
        day, found = _parse_day(held.get(name)), milestone_for_status("encompass", name, statuses)
        if day and found:
            earlier = seen.get(found.code)
            if earlier is None or (earlier.on and day < earlier.on):
                seen[found.code] = ObservedStep(code=found.code, on=day, source_status=name)
    unmapped = []
    for step in steps:
        name = str(step.get("name") or "")
        if not step.get("doneIndicator") or not name:
            continue
        try:
            found = milestone_for_status("encompass", name, statuses)
        except UnmappedStatus:
            unmapped.append(name)
            continue
        if found and found.code not in seen:
            seen[found.code] = ObservedStep(
                code=found.code, on=_parse_day(step.get("startDate")), source_status=name
            )
    return seen, unmapped


def _action_taken(
    held: Mapping[str, str], statuses: Mapping[str, Any]
) -> tuple[CanonicalMilestone | None, str]:
    """What field 1393 says, or the value it holds that nobody has explained."""
    value = held.get("1393", "").strip()
    try:
        return milestone_for_status("encompass", f"1393={value}", statuses), ""
    except UnmappedStatus:
        return None, f"1393={value}"


def _current_milestone(held: Mapping[str, str], seen: Mapping[str, ObservedStep]) -> str:
    top = highest_milestone(seen)
    stopped = seen.get("suspended")
    if stopped is None or (top and (all_milestones()[top].rank or 0) > CLEAR_TO_CLOSE_RANK):
        return top
    approved = [day for name in APPROVAL_FIELDS if (day := _parse_day(held.get(name)))]
    resumed = stopped.on is not None and approved and max(approved) >= stopped.on
    return top if resumed else "suspended"


def _step_date(seen: Mapping[str, ObservedStep], code: str) -> date | None:
    return seen[code].on if code in seen else None


def _parse_day(value: object) -> date | None:
    """A day as Encompass writes it, `MM/dd/yyyy` or ISO, with or without a time."""
    text = str(value or "").strip()
    for shape, length in (("%m/%d/%Y", 10), ("%Y-%m-%d", 10)):
        try:
            return datetime.strptime(text[:length], shape).date()  # noqa: DTZ007 (a day, no time)
        except ValueError:
            continue
    return None


def _parse_cents(value: object) -> int | None:
    text = str(value or "").replace(",", "").replace("$", "").strip()
    try:
        return int((Decimal(text) * 100).to_integral_value()) if text else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _sum_known(amounts: Any) -> int | None:
    known = [cents for cents in amounts if cents is not None]
    return sum(known) if known else None

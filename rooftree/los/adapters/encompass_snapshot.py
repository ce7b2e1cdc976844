"""A loan snapshot from Encompass's fields and milestones. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

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
    """Return the field ids that a snapshot needs."""
    field_ids = [*ALWAYS_READ, *statuses["date_fields"], *reads.get("amount", ())]
    field_ids += [*reads.get("revenue", ()), *_notice_fields(reads).values(), lead_id_field]
    return [name for name in dict.fromkeys(field_ids) if name]


def build_snapshot(
    loan_id: str,
    fields: Mapping[str, str],
    steps: Sequence[Mapping[str, Any]],
    *,
    statuses: Mapping[str, Any],
    reads: Mapping[str, Any],
    lead_id_field: str,
) -> LoanSnapshot:
    """Build a snapshot of the loan.

    Args:
        fields: field id to Encompass's text.
        steps: the loan's milestones as the API lists them.
        statuses: the lender's status map.
        reads: which fields are the amount, the revenue, and the days notices were sent.

    A date beats the name of a milestone. Field 1393 ends a file whatever its
    milestones say, because a denial is not a milestone in Encompass.
    """
    seen, unmapped = _observe_steps(fields, steps, statuses)
    action, unmapped_action = _action_taken(fields, statuses)
    if unmapped_action:
        unmapped.append(unmapped_action)
    if action and action.code not in seen:
        day = _parse_day(fields.get("749"))
        seen[action.code] = ObservedStep(
            code=action.code, on=day, source_status=f"1393={fields.get('1393', '')}"
        )
    amounts = (_parse_cents(fields.get(name)) for name in reads.get("amount", ()))
    ended = action.code if action and action.kind is MilestoneKind.TERMINAL else ""
    return LoanSnapshot(
        loan_id=loan_id,
        loan_number=fields.get("364", ""),
        lead_id=fields.get(lead_id_field) or fields.get("4495", ""),
        observed_steps=tuple(seen.values()),
        current_milestone=ended or _current_milestone(fields, seen),
        final_outcome=ended,
        amount_cents=next(filter(None, amounts), None),
        revenue_cents=_sum_known(
            _parse_cents(fields.get(name)) for name in reads.get("revenue", ())
        ),
        application_date=_step_date(seen, "application"),
        funded_date=_step_date(seen, "funded"),
        lock_date=_parse_day(fields.get("761")),
        lock_expires_date=_parse_day(fields.get("762")),
        closing_date=_parse_day(fields.get("763")),
        notices={
            kind: on
            for kind, name in _notice_fields(reads).items()
            if (on := _parse_day(fields.get(name)))
        },
        unmapped_statuses=tuple(unmapped),
        raw=dict(fields),
    )


def _notice_fields(reads: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the disclosure tracking fields, by kind of notice."""
    notice_fields: Mapping[str, str] = reads.get("notices", {})
    return notice_fields


def _observe_steps(
    fields: Mapping[str, str], steps: Sequence[Mapping[str, Any]], statuses: Mapping[str, Any]
) -> tuple[dict[str, ObservedStep], list[str]]:
    seen: dict[str, ObservedStep] = {}
    for name in statuses["date_fields"]:
        day, milestone = (
            _parse_day(fields.get(name)),
            milestone_for_status("encompass", name, statuses),
        )
        if day and milestone:
            earlier = seen.get(milestone.code)
            if earlier is None or (earlier.on and day < earlier.on):
                seen[milestone.code] = ObservedStep(code=milestone.code, on=day, source_status=name)
    unmapped = []
    for step in steps:
        name = str(step.get("name") or "")
        if not step.get("doneIndicator") or not name:
            continue
        try:
            milestone = milestone_for_status("encompass", name, statuses)
        except UnmappedStatus:
            unmapped.append(name)
            continue
        if milestone and milestone.code not in seen:
            seen[milestone.code] = ObservedStep(
                code=milestone.code, on=_parse_day(step.get("startDate")), source_status=name
            )
    return seen, unmapped


def _action_taken(
    fields: Mapping[str, str], statuses: Mapping[str, Any]
) -> tuple[CanonicalMilestone | None, str]:
    """Return the milestone of field 1393, or else the value the map doesn't know."""
    value = fields.get("1393", "").strip()
    try:
        return milestone_for_status("encompass", f"1393={value}", statuses), ""
    except UnmappedStatus:
        return None, f"1393={value}"


def _current_milestone(fields: Mapping[str, str], seen: Mapping[str, ObservedStep]) -> str:
    top = highest_milestone(seen)
    suspension = seen.get("suspended")
    if suspension is None or (top and (all_milestones()[top].rank or 0) > CLEAR_TO_CLOSE_RANK):
        return top
    approved = [day for name in APPROVAL_FIELDS if (day := _parse_day(fields.get(name)))]
    resumed = suspension.on is not None and approved and max(approved) >= suspension.on
    return top if resumed else "suspended"


def _step_date(seen: Mapping[str, ObservedStep], code: str) -> date | None:
    return seen[code].on if code in seen else None


def _parse_day(value: object) -> date | None:
    """Parse a day as Encompass writes it, `MM/dd/yyyy` or ISO, with or without a time."""
    text = str(value or "").strip()
    for shape, length in (("%m/%d/%Y", 10), ("%Y-%m-%d", 10)):
        try:
            return datetime.strptime(text[:length], shape).date()  # noqa: DTZ007 (a day, no time)
        except ValueError:
            continue
    return None


def localize_steps(steps: object, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the milestones that the API lists, each dated by its day in the company's zone.

    Encompass states the moment of a milestone in UTC, where an evening is already tomorrow.
    """
    rows = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return [{**step, "startDate": _local_day(step.get("startDate"), zone)} for step in rows]


def _local_day(value: object, zone: ZoneInfo) -> object:
    try:
        moment = datetime.fromisoformat(str(value or "").strip())
    except ValueError:
        return value
    return moment.astimezone(zone).date().isoformat() if moment.tzinfo else value


def _parse_cents(value: object) -> int | None:
    text = str(value or "").replace(",", "").replace("$", "").strip()
    try:
        return int((Decimal(text) * 100).to_integral_value()) if text else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _sum_known(amounts: Any) -> int | None:
    known = [cents for cents in amounts if cents is not None]
    return sum(known) if known else None

"""What Encompass's fields and milestones say about a loan. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.los.milestones import Kind, Milestone, Seen, Unmapped, highest, milestones
from rooftree.los.reading import LoanReading
from rooftree.los.statuses import meaning

ALWAYS_READ = ("4495", "364", "1393", "749", "761", "762", "763")
APPROVALS = ("2301", "2305")
AFTER_APPROVAL = 90  # a step beyond clear to close shows that a suspension is over


def wanted_fields(
    statuses: Mapping[str, Any], reads: Mapping[str, Any], lead_id_field: str
) -> list[str]:
    """The field ids that a reading needs."""
    asked = [*ALWAYS_READ, *statuses["date_fields"], *reads.get("amount", ())]
    asked += [*reads.get("revenue", ()), *_tracked(reads).values(), lead_id_field]
    return [name for name in dict.fromkeys(asked) if name]


def reading(
    loan_id: str,
    held: Mapping[str, str],
    steps: Sequence[Mapping[str, Any]],
    *,
    statuses: Mapping[str, Any],
    reads: Mapping[str, Any],
    lead_id_field: str,
) -> LoanReading:
    """The loan in our words.

    Args:
        held: field id to Encompass's text.
        steps: the loan's milestones as the API lists them.
        statuses: the lender's status map.
        reads: which fields are the amount, the revenue, and the days notices were sent.

    A date beats the name of a milestone. Field 1393 ends a file whatever its
    milestones say, because a denial is no milestone in Encompass.
    """
    seen, unmapped = _seen(held, steps, statuses)
    action, said = _action(held, statuses)
    if said:
        unmapped.append(said)
    if action and action.code not in seen:
        day = _day(held.get("749"))
        seen[action.code] = Seen(code=action.code, on=day, said=f"1393={held.get('1393', '')}")
    ended = action.code if action and action.kind is Kind.TERMINAL else ""
    return LoanReading(
        loan_id=loan_id,
        loan_number=held.get("364", ""),
        lead_id=held.get(lead_id_field) or held.get("4495", ""),
        seen=tuple(seen.values()),
        stands_at=ended or _stands_at(held, seen),
        ended_as=ended,
        amount_cents=next(
            (cents for name in reads.get("amount", ()) if (cents := _cents(held.get(name)))), None
        ),
        revenue_cents=_sum(_cents(held.get(name)) for name in reads.get("revenue", ())),
        application_date=_on(seen, "application"),
        funded_date=_on(seen, "funded"),
        lock_date=_day(held.get("761")),
        lock_expires_date=_day(held.get("762")),
        closing_date=_day(held.get("763")),
        notices={
            kind: on for kind, name in _tracked(reads).items() if (on := _day(held.get(name)))
        },
        unmapped=tuple(unmapped),
        raw=dict(held),
    )


def _tracked(reads: Mapping[str, Any]) -> Mapping[str, str]:
    """The fields of disclosure tracking, by the kind of notice."""
    found: Mapping[str, str] = reads.get("notices", {})
    return found


def _seen(
    held: Mapping[str, str], steps: Sequence[Mapping[str, Any]], statuses: Mapping[str, Any]
) -> tuple[dict[str, Seen], list[str]]:
    seen: dict[str, Seen] = {}
    for name in statuses["date_fields"]:
        day, found = _day(held.get(name)), meaning("encompass", name, statuses)
        if day and found:
            earlier = seen.get(found.code)
            if earlier is None or (earlier.on and day < earlier.on):
                seen[found.code] = Seen(code=found.code, on=day, said=name)
    unmapped = []
    for step in steps:
        name = str(step.get("name") or "")
        if not step.get("doneIndicator") or not name:
            continue
        try:
            found = meaning("encompass", name, statuses)
        except Unmapped:
            unmapped.append(name)
            continue
        if found and found.code not in seen:
            seen[found.code] = Seen(code=found.code, on=_day(step.get("startDate")), said=name)
    return seen, unmapped


def _action(held: Mapping[str, str], statuses: Mapping[str, Any]) -> tuple[Milestone | None, str]:
    """What field 1393 says, or the value it holds that nobody has explained."""
    value = held.get("1393", "").strip()
    try:
        return meaning("encompass", f"1393={value}", statuses), ""
    except Unmapped:
        return None, f"1393={value}"


def _stands_at(held: Mapping[str, str], seen: Mapping[str, Seen]) -> str:
    top = highest(seen)
    stopped = seen.get("suspended")
    if stopped is None or (top and (milestones()[top].rank or 0) > AFTER_APPROVAL):
        return top
    approved = [day for name in APPROVALS if (day := _day(held.get(name)))]
    resumed = stopped.on is not None and approved and max(approved) >= stopped.on
    return top if resumed else "suspended"


def _on(seen: Mapping[str, Seen], code: str) -> date | None:
    return seen[code].on if code in seen else None


def _day(value: object) -> date | None:
    """A day as Encompass writes it, `MM/dd/yyyy` or ISO, with or without a time."""
    text = str(value or "").strip()
    for shape, length in (("%m/%d/%Y", 10), ("%Y-%m-%d", 10)):
        try:
            return datetime.strptime(text[:length], shape).date()  # noqa: DTZ007 (a day, no time)
        except ValueError:
            continue
    return None


def _cents(value: object) -> int | None:
    text = str(value or "").replace(",", "").replace("$", "").strip()
    try:
        return int((Decimal(text) * 100).to_integral_value()) if text else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _sum(amounts: Any) -> int | None:
    known = [cents for cents in amounts if cents is not None]
    return sum(known) if known else None

"""Staff actions in Encompass: finish milestones, set dates, deny, move folders; scenarios."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from rooftree_simulators.encompass.encompass_instance import EncompassInstance
from rooftree_simulators.encompass.loan_files import Loan, read_field, write_field
from rooftree_simulators.encompass.loan_schema import ACTIONS_TAKEN, FIELDS
from rooftree_simulators.vendor_base import Json

_DAY_S = 86_400.0
LENDER_ZONE = ZoneInfo("America/New_York")
_DATES_OF_MILESTONE = {
    "Submittal": ["2298"],
    "Cond. Approval": ["2301"],
    "Funding": ["1996", "1997", "1999"],
}
# Moves that are not milestones: the date fields that staff fill, or empty.
_DATES_SET = {
    "Application": ["745", "3142"],
    "Loan Estimate sent": ["3152"],
    "Suspended": ["2303"],
    "Clear to Close": ["2305"],
    "Closed": ["748"],
}
_DATES_CLEARED = {"Clear to Close withdrawn": ["2305"], "Resumed": ["2303"]}
_USERS = {"api": "processor1", "web": "processor1", "desktop": "processor1"}
_USUAL_AMOUNT = Decimal(300_000)

# (share of the scenario's days, move)
_STEPS_TO_SUBMITTAL = [
    (0.02, "Application"),
    (0.025, "Loan Estimate sent"),
    (0.03, "folder=My Pipeline"),
    (0.08, "Processing"),
    (0.25, "Submittal"),
]
_STEPS_FROM_APPROVAL = [
    (0.72, "Clear to Close"),
    (0.80, "Doc Preparation"),
    (0.90, "Docs Signing"),
    (0.92, "Closed"),
    (0.95, "Funding"),
]
SCENARIOS: dict[str, list[tuple[float, str]]] = {
    "happy": [
        *_STEPS_TO_SUBMITTAL,
        (0.40, "Cond. Approval"),
        (0.55, "Resubmittal"),
        (0.65, "Approval"),
        *_STEPS_FROM_APPROVAL,
    ],
    "denied": [*_STEPS_TO_SUBMITTAL, (0.5, "1393=Application denied"), (0.52, "folder=Adverse")],
    "withdrawn": [*_STEPS_TO_SUBMITTAL, (0.4, "1393=Application withdrawn")],
    "suspend_resume": [
        *_STEPS_TO_SUBMITTAL,
        (0.35, "Suspended"),
        (0.45, "Resumed"),
        (0.55, "Cond. Approval"),
        (0.65, "Approval"),
        *_STEPS_FROM_APPROVAL,
    ],
    "ctc_rollback": [
        *_STEPS_TO_SUBMITTAL,
        (0.40, "Cond. Approval"),
        (0.50, "Approval"),
        (0.55, "Clear to Close"),
        (0.60, "Clear to Close withdrawn"),
        (0.62, "Suspended"),
        (0.68, "Resumed"),
        *_STEPS_FROM_APPROVAL,
    ],
    "preapproval_only": [(0.1, "Qualification")],
}


def move_loan(
    instance: EncompassInstance, loan: Loan, status: str, *, by: str, on: date | None = None
) -> None:
    """Change a loan as staff would, and raise the events Encompass would raise.

    Args:
        status: a milestone's name, one of the date moves above, `1393=<value>`
            or `folder=<name>`.
        by: `desktop` raises nothing while the switch `desktop_silent` is on.
        on: the date to write; the simulated day by default.

    Raises `ValueError` for a status or `by` that does not exist.
    """
    if by not in _USERS:
        raise ValueError(f"by must be one of {', '.join(_USERS)}")
    at = instance.clock.now()
    if on is not None:
        at = datetime.combine(on, time(17), tzinfo=UTC)
    with instance.lock:
        events, field_ids = _apply_status(instance, loan, status, at)
        # Invent private data, as a real file has by now; SSNs starting with 900 are never issued.
        if not read_field(loan, "65"):
            serial = f"{len(loan.number) + 10}-{int(loan.number[-5:]) % 10_000:04d}"
            write_field(loan, "65", f"900-{serial}")
            write_field(loan, "1402", "1980-01-31")
        silent = by == "desktop" and bool(instance.switches.values["desktop_silent"])
        paths = [FIELDS[field_id].path for field_id in field_ids]
        instance.save_change(loan, events, user=_USERS[by], paths=paths, silent=silent)


def _apply_status(
    instance: EncompassInstance, loan: Loan, status: str, at: datetime
) -> tuple[list[tuple[str, Json]], list[str]]:
    """Apply a status; return the events to raise and the ids of the fields written."""
    name, _, value = status.partition("=")
    if name == "folder":
        if value not in instance.folders:
            raise ValueError(f"unknown folder: {value}")
        loan.folder = value
        return [("move", {})], []
    if name == "1393":
        if value not in ACTIONS_TAKEN:
            raise ValueError(f"unknown action taken: {value}")
        write_field(loan, "1393", value)
        write_field(loan, "749", _lender_day(at).isoformat())
        return _FIELD_EVENTS, ["1393", "749"]
    if status in _DATES_CLEARED:
        return _FIELD_EVENTS, _set_dates(loan, _DATES_CLEARED[status], None)
    if status in _DATES_SET:
        return _FIELD_EVENTS, _set_dates(loan, _DATES_SET[status], _lender_day(at))
    return _finish_milestone(instance, loan, status, at)


def _lender_day(at: datetime) -> date:
    """Return the day on the clock of the lender's staff, which is what they type into a field."""
    return at.astimezone(LENDER_ZONE).date()


_FIELD_EVENTS: list[tuple[str, Json]] = [("update", {}), ("change", {})]


def _set_dates(loan: Loan, field_ids: list[str], on: date | None) -> list[str]:
    for field_id in field_ids:
        write_field(loan, field_id, on.isoformat() if on else None)
    return field_ids


def _finish_milestone(
    instance: EncompassInstance, loan: Loan, name: str, at: datetime
) -> tuple[list[tuple[str, Json]], list[str]]:
    """Finish a milestone and all unfinished ones before it."""
    step = loan.milestone(name)
    if step is None:
        raise ValueError(f"unknown status: {name}")
    for earlier in loan.milestones[: loan.milestones.index(step)]:
        earlier.done_at = earlier.done_at or at
    step.done_at = at
    written = _set_dates(loan, _DATES_OF_MILESTONE.get(step.name, []), _lender_day(at))
    if step.name == "Processing":
        written = [*written, *_set_base_amount(loan)]
    if step.name == "Funding":
        written = [*written, *_set_base_amount(loan), *_mark_originated(instance, loan, at)]
    payload: Json = {"finishMilestones": [{"id": step.id, "title": step.name}]}
    return [("milestone", payload), *_FIELD_EVENTS], written


def _set_base_amount(loan: Loan) -> list[str]:
    """Set the base amount to the requested amount, unless staff already set it."""
    if not read_field(loan, "2"):
        write_field(loan, "2", read_field(loan, "1109") or str(_USUAL_AMOUNT))
        return ["2"]
    return []


def _mark_originated(instance: EncompassInstance, loan: Loan, at: datetime) -> list[str]:
    write_field(loan, "1393", "Loan Originated")
    write_field(loan, "749", _lender_day(at).isoformat())
    basis_points = Decimal(str(instance.switches.values["revenue_bps"]))
    amount = Decimal(read_field(loan, "2") or 0)
    if not loan.custom.get("CX.ROOFTREEREVENUE"):
        loan.custom["CX.ROOFTREEREVENUE"] = f"{amount * basis_points / 10_000:.2f}"
    return ["1393", "749"]


def start_scenario(
    instance: EncompassInstance, loan: Loan, path: str, *, days: float, by: str
) -> None:
    """Schedule the moves of a scenario over `days` of simulated time, with jitter.

    Moves at the start that the file already has are skipped, so a scenario that a
    restart interrupted continues.

    Raises `ValueError` for an unknown path or `by`.
    """
    if path not in SCENARIOS or by not in _USERS:
        raise ValueError(f"unknown scenario {path} or by {by}")
    steps = SCENARIOS[path]
    while steps and _is_already_done(loan, steps[0][1]):
        steps = steps[1:]
    instance.clock.run_process(_play_scenario(instance, loan, steps, days=days, by=by))


def _is_already_done(loan: Loan, status: str) -> bool:
    """Decide whether the file shows that this move is already done."""
    name, _, value = status.partition("=")
    if name == "folder":
        return loan.folder == value
    if name in _DATES_SET or name == "1393":
        return bool(read_field(loan, _DATES_SET[name][0] if name in _DATES_SET else name))
    step = loan.milestone(name)
    return step is not None and step.done_at is not None


def _play_scenario(
    instance: EncompassInstance, loan: Loan, steps: list[tuple[float, str]], *, days: float, by: str
) -> Iterator[float]:
    elapsed = 0.0
    for share, status in steps:
        # Jitter is at most 30 percent of the gap, so moves stay in order.
        due = share * days * _DAY_S
        jitter = instance.rng.uniform(-0.3, 0.3) * (due - elapsed)
        wait = max(0.0, due + jitter - elapsed)
        yield wait
        elapsed += wait
        move_loan(instance, loan, status, by=by)

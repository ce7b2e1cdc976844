"""What is kept of a loan that LendingPad shows, and its snapshot. Pure.

Posts carry SSNs, birth dates and incomes. Only what `keep_of_export` names leaves this file.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.los.loan_milestones import (
    MilestoneKind,
    ObservedStep,
    UnmappedStatus,
    highest_milestone,
)
from rooftree.los.loan_snapshot import LoanHint, LoanSnapshot
from rooftree.los.status_mapping import milestone_for_code

MAX_LOANS = 25  # in one post
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE_KEY = re.compile(r"[A-Za-z]{1,60}")
LOAN_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./-]{0,39}")
UNREADABLE = "unreadable"


def parse_export(
    body: bytes, *, company: str, lead_id_field: str, revenue_fields: Sequence[str]
) -> tuple[LoanHint, ...]:
    """Parse a post of loans; each one that can't be read becomes a hint with its problem."""
    try:
        loans = json.loads(body)
    except ValueError:
        loans = None
    if not isinstance(loans, list):
        return (_refuse_entry(body, 0, "The post is no list of loans."),)
    hints = []
    for position, loan in enumerate(loans[:MAX_LOANS]):
        loan_id = loan.get("loanId") if isinstance(loan, dict) else None
        status = loan.get("loanStatus") if isinstance(loan, dict) else None
        if not isinstance(loan_id, str) or not GUID.fullmatch(loan_id):
            hints.append(_refuse_entry(body, position, "A loan of the post has no loan ID."))
        elif not isinstance(status, dict) or status.get("id") is None:
            hints.append(_refuse_entry(body, position, "A loan of the post has no status."))
        else:
            content = keep_of_export(loan, lead_id_field, revenue_fields)
            state = json.dumps([loan_id, content], sort_keys=True)  # posts have no event ID
            hints.append(
                LoanHint(
                    event_id=hashlib.sha256(state.encode()).hexdigest(),
                    event_type="export",
                    loan_id=loan_id,
                    instance=str(loan.get("companyId") or company),
                    happened_at=None,
                    content=content,
                )
            )
    return tuple(hints)


def keep_of_export(
    loan: Mapping[str, Any], lead_id_field: str, revenue_fields: Sequence[str]
) -> dict[str, Any]:
    """Return what is stored of one posted loan: never a borrower, a note or an income."""
    kept = _keep_common(loan)
    dates = loan.get("dates")
    kept["dates"] = {
        key: day.isoformat()
        for key, text in (dates if isinstance(dates, dict) else {}).items()
        if DATE_KEY.fullmatch(str(key)) and (day := _parse_day(text))
    }
    times = loan.get("numberOfTimesLoanInStatus")
    if isinstance(times, dict):
        kept["times"] = {str(key)[:40]: n for key, n in times.items() if isinstance(n, int)}
    values = _custom_values(loan)
    lead_id = values.get(lead_id_field.casefold(), "") if lead_id_field else ""
    if GUID.fullmatch(lead_id):
        kept["lead_id"] = lead_id
    amounts = [_parse_cents(values.get(name.casefold())) for name in revenue_fields]
    known = [cents for cents in amounts if cents is not None]
    if known:
        kept["revenue_cents"] = sum(known)
    amount = _parse_cents(loan.get("loanAmount"))
    if amount:
        kept["amount_cents"] = amount
    changed_at = _parse_moment(loan.get("lastModified"))
    if changed_at:
        kept["changed_at"] = changed_at.isoformat()
    return kept


def keep_of_list(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is used of a row of the list; it is not stored."""
    kept = _keep_common(row)
    moment = _parse_moment(row.get("loanStatusDate"))
    if moment:
        kept["status_date"] = moment.date().isoformat()
    return kept


def build_snapshot(
    loan_id: str, seen: Mapping[str, Any], statuses: Mapping[str, Any]
) -> LoanSnapshot:
    """Build a snapshot from what was kept of a loan.

    The status is the newest date. Earlier steps show by their dates only: a post stands for
    every change since the one before.
    """
    steps = _observe_dates(seen.get("dates") or {}, statuses)
    code, name = str(seen.get("status_id") or ""), str(seen.get("status_name") or "")
    unmapped: tuple[str, ...] = ()
    current = ended = ""
    try:
        milestone = milestone_for_code(code, name, "lendingpad", statuses)
    except UnmappedStatus:
        milestone, unmapped = None, (name or code,)
    if milestone is not None:
        current = milestone.code
        ended = milestone.code if milestone.kind is MilestoneKind.TERMINAL else ""
        day = _parse_day(seen.get("status_date"))
        known = steps.get(current)
        if known is None or (known.on is None and day):
            steps[current] = ObservedStep(code=current, on=day, source_status=name or code)
    return LoanSnapshot(
        loan_id=loan_id,
        loan_number=str(seen.get("loan_number") or ""),
        lead_id=str(seen.get("lead_id") or ""),
        observed_steps=tuple(steps.values()),
        current_milestone=current or ("" if unmapped else highest_milestone(steps)),
        final_outcome=ended,
        amount_cents=seen.get("amount_cents"),
        revenue_cents=seen.get("revenue_cents"),
        application_date=_step_date(steps, "application"),
        funded_date=_step_date(steps, "funded"),
        closing_date=_step_date(steps, "closed"),
        unmapped_statuses=unmapped,
    )


def has_borrower(row: Mapping[str, Any], first_name: str, last_name: str) -> bool:
    """Return True if the row of the list is about this borrower."""
    borrowers = row.get("borrowers")
    wanted = (first_name.strip().casefold(), last_name.strip().casefold())
    return any(
        (
            str(person.get("firstName") or "").strip().casefold(),
            str(person.get("lastName") or "").strip().casefold(),
        )
        == wanted
        for person in (borrowers if isinstance(borrowers, list) else [])
        if isinstance(person, dict)
    )


def is_since(row: Mapping[str, Any], start: datetime) -> bool:
    """Return True if the status of a listed loan is as new as `start`, on the lender's clock.

    A day without a time counts whole; a loan without a date is never left out.
    """
    text = str(row.get("loanStatusDate") or "")
    moment = _parse_moment(text)
    if moment is None:
        return True
    return moment.date() >= start.date() if len(text) <= len("2026-01-31") else moment >= start


def _observe_dates(
    dates: Mapping[str, Any], statuses: Mapping[str, Any]
) -> dict[str, ObservedStep]:
    steps: dict[str, ObservedStep] = {}
    for code, entry in statuses.items():
        key = entry.get("date_field") if isinstance(entry, dict) else None
        day = _parse_day(dates.get(key)) if key else None
        if day is None:
            continue
        name = str(entry.get("name") or code)
        try:
            milestone = milestone_for_code(code, name, "lendingpad", statuses)
        except UnmappedStatus:
            continue  # the current status alone says that a person must map it
        if milestone is None:
            continue
        known = steps.get(milestone.code)
        if known is None or (known.on and day < known.on):
            steps[milestone.code] = ObservedStep(code=milestone.code, on=day, source_status=name)
    return steps


def _keep_common(loan: Mapping[str, Any]) -> dict[str, Any]:
    status = loan.get("loanStatus")
    status = status if isinstance(status, dict) else {}
    number = str(loan.get("loanNumber") or "")
    return {
        "loan_number": number if LOAN_NUMBER.fullmatch(number) else "",
        "status_id": str(status.get("id") if status.get("id") is not None else "")[:20],
        "status_name": str(status.get("name") or "")[:120],
    }


def _custom_values(loan: Mapping[str, Any]) -> dict[str, str]:
    rows = loan.get("customFields")
    values = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("values"), list) and row["values"]:
            values[str(row.get("id") or "").casefold()] = str(row["values"][0] or "")
    return values


def _refuse_entry(body: bytes, position: int, problem: str) -> LoanHint:
    digest = hashlib.sha256(body).hexdigest()
    return LoanHint(
        event_id=f"{digest}:{position}",
        event_type=UNREADABLE,
        loan_id="",
        instance="",
        happened_at=None,
        problem=problem,
    )


def _step_date(steps: Mapping[str, ObservedStep], code: str) -> date | None:
    return steps[code].on if code in steps else None


def _parse_moment(value: object) -> datetime | None:
    """Parse a time as LendingPad writes it: ISO without a zone, on the lender's clock."""
    try:
        return datetime.fromisoformat(str(value or "")).replace(tzinfo=None)
    except ValueError:
        return None


def _parse_day(value: object) -> date | None:
    moment = _parse_moment(value)
    return moment.date() if moment else None


def _parse_cents(value: object) -> int | None:
    text = str(value if value is not None else "").replace(",", "").replace("$", "").strip()
    try:
        return int((Decimal(text) * 100).to_integral_value()) if text else None
    except (InvalidOperation, ValueError, OverflowError):
        return None

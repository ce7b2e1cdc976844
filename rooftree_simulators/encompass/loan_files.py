"""Loan files: document, fields by id, milestones, and the lagging reporting copy."""

import copy
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rooftree_simulators.encompass.loan_schema import FIELDS, LIST_PATHS, Field, Json, Kind

MILESTONES = (
    "Started",
    "Qualification",
    "Processing",
    "Submittal",
    "Cond. Approval",
    "Resubmittal",
    "Approval",
    "Doc Preparation",
    "Docs Signing",
    "Funding",
    "Post Closing",
    "Shipping",
    "Completion",
)
_SSN = re.compile(r"\d{3}-?\d{2}-?\d{4}")
SSN_FIELDS = {"65", "97"}


@dataclass(slots=True, kw_only=True)
class Milestone:
    """One step of a loan; `done_at` None is not finished."""

    id: str
    name: str
    done_at: datetime | None = None

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "startDate": self.done_at.isoformat() if self.done_at else None,
            "days": 1,
            "duration": 1,
            "doneIndicator": self.done_at is not None,
            "loanAssociate": {"user": {"entityId": "processor1", "entityType": "User"}},
            "reviewedIndicator": False,
            "comments": "",
            "roleRequired": False,
            "milestoneSetting": {"entityId": self.id, "entityName": self.name},
        }


@dataclass(slots=True, kw_only=True)
class Loan:
    """One loan file. `copies` holds the reporting rows by the time they were written."""

    guid: str
    number: str
    folder: str
    created_at: datetime
    modified_at: datetime
    lo_id: str = ""
    template: str = ""
    document: Json = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    milestones: list[Milestone] = field(default_factory=list)
    lock: Json | None = None
    copies: list[tuple[datetime, Json]] = field(default_factory=list)

    @property
    def current_milestone(self) -> str:
        """The first unfinished milestone, as the field of that name shows it."""
        waiting = (step.name for step in self.milestones if step.done_at is None)
        return next(waiting, self.milestones[-1].name)

    @property
    def last_completed(self) -> str:
        done = [step.name for step in self.milestones if step.done_at is not None]
        return done[-1] if done else ""

    def milestone(self, name: str) -> Milestone | None:
        lower_name = name.lower()
        return next((step for step in self.milestones if step.name.lower() == lower_name), None)

    def lock_holder(self, user: str, at: datetime) -> str:
        """Return the user whose lock keeps `user` from writing now, or "" if there is none."""
        if self.lock is None or self.lock["type"].lower() != "exclusive":
            return ""
        if self.lock["until"] and self.lock["until"] <= at:
            self.lock = None
            return ""
        return "" if self.lock["userId"] == user else str(self.lock["userId"])

    def entity(self, *, with_logs: bool = False) -> Json:
        """Return the loan as GET does, before nulls are removed."""
        shown = copy.deepcopy(self.document)
        shown.update(
            id=self.guid,
            encompassId=self.guid,
            loanNumber=self.number,
            loanFolder=self.folder,
            lastModified=self.modified_at.isoformat(),
            customFields=[
                {"id": name, "fieldName": name, "stringValue": value}
                for name, value in sorted(self.custom.items())
            ],
        )
        if with_logs:
            shown["milestones"] = [step.as_json() for step in self.milestones]
        return shown

    def copy_for_reports(self, reportable: set[str], lag: timedelta) -> None:
        """Add the current row to the reporting copies; drop rows that the lag has passed."""
        now = self.modified_at
        self.copies.append((now, {name: self.report_value(name) for name in reportable}))
        old = [number for number, (at, _) in enumerate(self.copies) if at <= now - lag]
        if old:
            del self.copies[: old[-1]]

    def reported_row(self, at: datetime) -> Json | None:
        rows = [row for written, row in self.copies if written <= at]
        return rows[-1] if rows else None

    def report_value(self, name: str) -> str:
        own = {
            "Loan.GUID": self.guid,
            "Loan.LoanNumber": self.number,
            "Loan.LoanFolder": self.folder,
            "Loan.LastModified": self.modified_at.isoformat(),
            "Loan.CurrentMilestoneName": self.current_milestone,
        }
        return own[name] if name in own else read_field(self, name.removeprefix("Fields.")) or ""


def new_milestones(at: datetime, names: Sequence[str]) -> list[Milestone]:
    """Return the instance's milestones, with the first one done."""
    steps = [
        Milestone(id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"milestone:{name}")), name=name)
        for name in names
    ]
    steps[0].done_at = at
    return steps


def merge_document(document: Json, changes: Json, at: str = "") -> list[str]:
    """Merge a posted document into the stored one; return the changed paths."""
    changed: list[str] = []
    for name, value in changes.items():
        path = f"{at}.{name}" if at else name
        if path in LIST_PATHS:
            changed += _merge_list(document.setdefault(name, []), value, path)
        elif isinstance(value, dict):
            if document.get(name) is None:
                document[name] = {}
            changed += merge_document(document[name], value, path)
        elif document.get(name) != value:
            document[name] = value
            changed.append(path)
    return changed


def _merge_list(rows: list[Json], items: list[Json], path: str) -> list[str]:
    changed: list[str] = []
    for item in items:
        target = next((row for row in rows if row.get("id") == item.get("id", object())), None)
        if target is None:
            target = {"id": item.get("id") or str(uuid.uuid4())}
            rows.append(target)
        changed += merge_document(target, item, path)
    return changed


def _field_location(loan: Loan, path: str, *, make: bool) -> tuple[Json, str] | None:
    """Return the object and key at the end of a field path; first item of each collection."""
    node: Json = loan.document
    *branches, leaf = path.split(".")
    at = ""
    for name in branches:
        at = f"{at}.{name}" if at else name
        if name not in node and not make:
            return None
        if at in LIST_PATHS:
            items = node.setdefault(name, [])
            if not items and not make:
                return None
            if not items:
                items.append({"id": str(uuid.uuid4())})
            node = items[0]
        else:
            node = node.setdefault(name, {})
    return node, leaf


def read_field(loan: Loan, field_id: str) -> str | None:
    """Read a field as text; None for an id this Encompass does not have."""
    if field_id.startswith("CX."):
        return loan.custom.get(field_id, "")
    if field_id.startswith("Log.MS."):
        return _read_log(loan, field_id.removeprefix("Log.MS."))
    if field_id in {"GUID", "364"}:
        return loan.guid if field_id == "GUID" else loan.number
    field_type = FIELDS.get(field_id)
    if field_type is None:
        return None
    place = _field_location(loan, field_type.path, make=False)
    return format_field_value(place[0].get(place[1]), field_type) if place else ""


def _read_log(loan: Loan, name: str) -> str | None:
    if name in {"CurrentMilestone", "LastCompleted"}:
        return loan.current_milestone if name == "CurrentMilestone" else loan.last_completed
    kind, _, step_name = name.partition(".")
    step = loan.milestone(step_name)
    if step is None or kind not in {"Date", "Status"}:
        return None
    if kind == "Status":
        return "Achieved" if step.done_at else "Expected"
    return step.done_at.strftime("%m/%d/%Y") if step.done_at else ""


def write_field(loan: Loan, field_id: str, value: Any) -> bool:
    """Set a field, converting text to the field's type; return False if nothing changed.

    Raises `ValueError` for an unknown id or an unreadable value.
    """
    if field_id.startswith("CX."):
        changed = loan.custom.get(field_id, "") != str(value)
        loan.custom[field_id] = str(value)
        return changed
    field_type = FIELDS.get(field_id)
    if field_type is None:
        raise ValueError(f"unknown field {field_id}")
    place = _field_location(loan, field_type.path, make=True)
    if place is None:
        raise ValueError(f"no place for field {field_id}")
    new_value = _convert_value(value, field_type)
    changed = bool(place[0].get(place[1]) != new_value)
    place[0][place[1]] = new_value
    return changed


def _convert_value(value: Any, field_type: Field) -> Any:
    if value is None or value == "":
        return None
    match field_type.kind:
        case Kind.MONEY:
            return float(str(value).replace(",", "").replace("$", ""))
        case Kind.WHOLE:
            return int(value)
        case Kind.DATE:
            text = str(value)
            if "/" in text:
                month, day, year = text.split("/")
                text = f"{year}-{month:0>2}-{day:0>2}"
            return datetime.fromisoformat(text).date().isoformat()
    return str(value)


def format_field_value(value: Any, field_type: Field) -> str:
    """Format a value as fieldReader does: dates as MM/dd/yyyy, amounts with two decimals."""
    if value is None:
        return ""
    if field_type.kind is Kind.DATE:
        return datetime.fromisoformat(str(value)).strftime("%m/%d/%Y")
    if field_type.kind is Kind.MONEY:
        return f"{value:.3f}" if field_type.field_id == "3" else f"{value:.2f}"
    return str(value)


def contains_ssn(document: Any) -> bool:
    """Decide whether a posted document has a nine-digit number in an SSN field."""
    if isinstance(document, list):
        return any(contains_ssn(item) for item in document)
    if not isinstance(document, dict):
        return False
    for name, value in document.items():
        if "taxidentification" in name.lower() and _SSN.fullmatch(str(value)):
            return True
        if document.get("fieldId") in SSN_FIELDS and _SSN.fullmatch(str(document.get("value"))):
            return True
        if contains_ssn(value):
            return True
    return False

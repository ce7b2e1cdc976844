"""Numbered files that report the status of a vendor's leads, each with changes since the last.

A line has the vendor's own ids, a status word and a time. It has no personal data and no reason why
a loan was not made. The next file corrects a status that turned out to be wrong.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from rooftree.core import spreadsheet_csv
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source, Touch
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.vendor_contracts import REPORTABLE_STATUSES, find_contract_in_force
from rooftree.org.models import User
from rooftree.reporting.models import StatusFile, StatusLine

CORRECTED = "corrected"  # the last reported status was wrong or is no longer true
HEADING = ("lead_id", "status", "status_at", "file")
STATUS_RANK = {
    "contacted": 1,
    "application": 2,
    "closed": 3,
    "funded": 4,
}  # the highest is reported


class NothingToReport(Exception):
    """There is nothing to put in a file. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One lead of a vendor whose status differs from the last report."""

    touch_id: UUID
    status: str
    reached_at: datetime


def find_status_changes(source: Source, *, at: datetime) -> list[StatusChange]:
    """Return the changes for the next file; none if the contract asks for no statuses."""
    contract = find_contract_in_force(source.pk, company_day(at))
    if contract is None or not contract.statuses:
        return []
    lines = StatusLine.objects.filter(file__source=source).order_by("file__number")
    last_statuses = dict(lines.values_list("touch_id", "status"))
    changes = []
    for row in _lead_progress(source):
        reached = {
            name: since for name, since in _reached_statuses(row) if name in contract.statuses
        }
        status = max(reached, key=STATUS_RANK.__getitem__, default="")
        before = last_statuses.get(row["pk"], "")
        if status and status != before:
            changes.append(
                StatusChange(touch_id=row["pk"], status=status, reached_at=reached[status])
            )
        elif before not in ("", CORRECTED) and not status:
            changes.append(StatusChange(touch_id=row["pk"], status=CORRECTED, reached_at=at))
    return changes


def count_changes(source: Source, *, at: datetime) -> list[tuple[str, int]]:
    """Count the leads of the next file by status; each status as its label."""
    counts = Counter(change.status for change in find_status_changes(source, at=at))
    labels = {**REPORTABLE_STATUSES, CORRECTED: "Correction of the last report"}
    return [(label, counts[status]) for status, label in labels.items() if counts[status]]


def create_file(*, source_id: UUID, by: User, at: datetime) -> StatusFile:
    """Create the next file of a source. Raises `NothingToReport`."""
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
        changes = find_status_changes(source, at=at)
        contract = find_contract_in_force(source.pk, company_day(at))
        if contract is None or not changes:
            raise NothingToReport("Nothing has changed since the last file.")
        last = StatusFile.objects.filter(source=source).order_by("-number").first()
        status_file = StatusFile.objects.create(
            id=uuid7_at(at), source=source, number=last.number + 1 if last else 1, made_by=by,
            made_at=at,
        )  # fmt: skip
        StatusLine.objects.bulk_create(
            StatusLine(
                id=uuid7_at(at),
                file=status_file,
                touch_id=change.touch_id,
                status=change.status,
                word=contract.statuses.get(change.status) or change.status,
                since_at=change.reached_at,
            )
            for change in changes
        )
        write_event(
            "reporting.status_file.made", at=at, actor=f"user:{by.pk}", source_id=source.pk,
            file=status_file.pk, number=status_file.number, lines=len(changes),
        )  # fmt: skip
    return status_file


def render_file(status_file: StatusFile) -> str:
    """Render a status file as CSV; repeats give the same text."""
    lines = list(status_file.lines.select_related("touch").order_by("since_at", "pk"))
    ids = sorted({key for line in lines for key in _vendor_ids(line)})
    return spreadsheet_csv.render_csv((*HEADING, *ids), _file_rows(lines, ids, status_file.number))[
        0
    ]


def _file_rows(
    lines: Sequence[StatusLine], ids: Sequence[str], number: int
) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        since = line.since_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        vendor_ids = _vendor_ids(line)
        others = (vendor_ids.get(key, "") for key in ids)
        yield (line.touch.vendor_lead_id, line.word, since, number, *others)


def _vendor_ids(line: StatusLine) -> dict[str, str]:
    """Return the vendor's other ids of the lead, by name."""
    return dict(line.touch.inquiry.get("vendor_ids") or {})


def _lead_progress(source: Source) -> Iterator[Mapping[str, Any]]:
    rows = Touch.objects.filter(source=source, lead__is_test=False).exclude(vendor_lead_id="")
    return (
        rows.annotate(
            applied=Min("lead__loans__application_date"), funded=Min("lead__loans__funded_date")
        )
        .order_by("at", "pk")
        .values("pk", "applied", "funded", "lead__first_conversation_at", "lead__retired_at")
        .iterator()
    )


def _reached_statuses(row: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    moments = {
        "contacted": row["lead__first_conversation_at"],
        "application": _start_of_day(row["applied"]),
        "closed": row["lead__retired_at"],
        "funded": _start_of_day(row["funded"]),
    }
    return ((name, moment) for name, moment in moments.items() if moment)


def _start_of_day(day: date | None) -> datetime | None:
    """Return the start of a day in the company's zone; the LOS gives days only."""
    return datetime.combine(day, time(), company_zone()) if day else None

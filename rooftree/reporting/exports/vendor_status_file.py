"""Telling a vendor how far its leads came, in numbered files of what is new since the last.

A line holds the vendor's own ids, a word and a moment: nothing of the person, and nothing of
why somebody did not get a loan. What proves untrue later is corrected in the next file.
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
from rooftree.money.vendor_contracts import REPORTABLE_STATUSES, contract_in_force
from rooftree.org.models import User
from rooftree.reporting.models import StatusFile, StatusLine

CORRECTED = "corrected"  # what was told last was not so, or is so no more
HEADING = ("lead_id", "status", "status_at", "file")
STATUS_RANK = {"contacted": 1, "application": 2, "closed": 3, "funded": 4}  # the highest is told


class NothingToReport(Exception):
    """No file can be made. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One lead of a vendor's that stands otherwise than it was told last."""

    touch_id: UUID
    status: str
    reached_at: datetime


def find_status_changes(source: Source, *, at: datetime) -> list[StatusChange]:
    """What the next file of a source would say; nothing where its contract wants none."""
    contract = contract_in_force(source.pk, company_day(at))
    if contract is None or not contract.statuses:
        return []
    told = _last_statuses(source)
    found = []
    for row in _lead_progress(source):
        reached = {
            name: since for name, since in _reached_statuses(row) if name in contract.statuses
        }
        status = max(reached, key=STATUS_RANK.__getitem__, default="")
        before = told.get(row["pk"], "")
        if status and status != before:
            found.append(
                StatusChange(touch_id=row["pk"], status=status, reached_at=reached[status])
            )
        elif before not in ("", CORRECTED) and not status:
            found.append(StatusChange(touch_id=row["pk"], status=CORRECTED, reached_at=at))
    return found


def count_changes(source: Source, *, at: datetime) -> list[tuple[str, int]]:
    """How many leads the next file would tell what of, in words."""
    found = Counter(status_change.status for status_change in find_status_changes(source, at=at))
    said = {**REPORTABLE_STATUSES, CORRECTED: "What was told last is not so"}
    return [(said[key], found[key]) for key in said if found[key]]


def create_file(*, source_id: UUID, by: User, at: datetime) -> StatusFile:
    """Make the next file of a source. Raises `NothingToTell`."""
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
        news = find_status_changes(source, at=at)
        contract = contract_in_force(source.pk, company_day(at))
        if contract is None or not news:
            raise NothingToReport("Nothing has changed since the last file.")
        last = StatusFile.objects.filter(source=source).order_by("-number").first()
        made = StatusFile.objects.create(
            id=uuid7_at(at), source=source, number=last.number + 1 if last else 1, made_by=by,
            made_at=at,
        )  # fmt: skip
        StatusLine.objects.bulk_create(
            StatusLine(
                id=uuid7_at(at),
                file=made,
                touch_id=status_change.touch_id,
                status=status_change.status,
                word=contract.statuses.get(status_change.status) or status_change.status,
                since_at=status_change.reached_at,
            )
            for status_change in news
        )
        write_event(
            "reporting.status_file.made", at=at, actor=f"user:{by.pk}", source_id=source.pk,
            file=made.pk, number=made.number, lines=len(news),
        )  # fmt: skip
    return made


def file_text(made: StatusFile) -> str:
    """The file, the same whenever it is asked for."""
    lines = list(made.lines.select_related("touch").order_by("since_at", "pk"))
    ids = sorted({key for line in lines for key in _vendor_ids(line)})
    return spreadsheet_csv.render_csv((*HEADING, *ids), _file_rows(lines, ids, made.number))[0]


def _file_rows(
    lines: Sequence[StatusLine], ids: Sequence[str], number: int
) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        since = line.since_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        theirs = _vendor_ids(line)
        others = (theirs.get(key, "") for key in ids)
        yield (line.touch.vendor_lead_id, line.word, since, number, *others)


def _vendor_ids(one: StatusLine) -> dict[str, str]:
    """The vendor's other ids of the same lead."""
    return dict(one.touch.inquiry.get("vendor_ids") or {})


def _last_statuses(source: Source) -> dict[UUID, str]:
    lines = StatusLine.objects.filter(file__source=source).order_by("file__number")
    return dict(lines.values_list("touch_id", "status"))


def _lead_progress(source: Source) -> Iterator[Mapping[str, Any]]:
    rows = Touch.objects.filter(source=source, lead__is_test=False).exclude(vendor_lead_id="")
    return (
        rows.annotate(
            applied=Min("lead__loans__application_date"), funded=Min("lead__loans__funded_date")
        )
        .order_by("at", "pk")
        .values("pk", "applied", "funded", "lead__first_talk_at", "lead__retired_at")
        .iterator()
    )


def _reached_statuses(row: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    moments = {
        "contacted": row["lead__first_talk_at"],
        "application": _start_of_day(row["applied"]),
        "closed": row["lead__retired_at"],
        "funded": _start_of_day(row["funded"]),
    }
    return ((name, moment) for name, moment in moments.items() if moment)


def _start_of_day(day: date | None) -> datetime | None:
    """The LOS knows days: the beginning of it, by the company's clock."""
    return datetime.combine(day, time(), company_zone()) if day else None

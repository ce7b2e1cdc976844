"""Purges of expired records: counted first, approved if large, run in slices, proven.

A plan lists the records to remove. A slice takes some of them, checks their clocks and holds
again, removes those still due and commits to them on the ledger, all in one transaction. After a
crash a slice is undone as a whole, never half done.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.db_role import assume_role
from rooftree.db.record_sets import RecordSet
from rooftree.db.statements import execute, query_row, query_rows
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.retention import deletion_rule
from rooftree.retention.legal_holds import IS_HELD_SQL
from rooftree.retention.models import PrivacyRequest, Purge, PurgeRow
from rooftree.retention.record_sets import RECORD_SETS, RECORD_SETS_BY_NAME
from rooftree.retention.retention_schedule import SCHEDULE

SECOND_PERSON_ABOVE = 200  # more records than this need two approvals
MAX_RECORDS_PER_SET = 20_000  # of one record set in one plan; the next plan takes the rest
SLICE_SIZE = 100
PURGED_EVENT = "compliance.records.purged"
ALREADY_GONE = "gone before"  # when its turn came
_PLANNING_LOCK_KEY = 0x726F_6F66_0029  # advisory lock for planning

# `ends` holds, by class, the last start day of the clocks that have ended by now.
_CLOCKS_ENDED_SQL = """(select bool_and(s.value::date <= (%(ends)s::jsonb ->> s.key)::date)
    from jsonb_each_text(q.since) s)"""
_RECORDS_SQL = """
select r.id, q.since, {held}
  from "{table}" r
 cross join lateral (select {people} as people) o
 cross join lateral (select {since} as since) q
 where {which} and not exists (select from purge_row g
    where g.record_set = '{name}' and g.row_id = r.id and g.removed_at is not null)
   and {condition}
"""


class PurgeRefused(Exception):
    """The purge is already decided, or needs a second person. The text can be shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRecord:
    """One record with its retention clocks and its hold status now."""

    id: UUID
    since: Mapping[str, date | None]  # class: the day its clock started
    is_held: bool

    def retention_reason(self, today: date, *, is_requested: bool) -> tuple[str, str] | None:
        """Return the class that keeps the record and the reason, or None if it can be removed.

        Args:
            is_requested: the person asked for the deletion (PRV-01).
        """
        for key, since in self.since.items():
            ruling = deletion_rule.check_deletion(
                record=key, since=since, today=today, is_held=self.is_held
            )
            yields = is_requested and SCHEDULE[key].on_request and not self.is_held
            if ruling.decision.value != "allow" and not yields:
                return key, ruling.reason
        return None


def due_records(record_set: RecordSet, *, today: date) -> list[DatedRecord]:
    """Return the records whose clocks have all ended and that no hold keeps."""
    # Cut-offs count 30 days per month, so they select too much; the rule then decides to the day.
    ends = {
        key: str(today - timedelta(days=30 * record_class.months))
        for key, record_class in SCHEDULE.items()
        if record_class.months
    }
    condition = (
        f"r.{record_set.created_column} < %(youngest)s and {_CLOCKS_ENDED_SQL} "
        f"and not {IS_HELD_SQL} limit {MAX_RECORDS_PER_SET}"
    )
    records = _load_records(
        record_set, condition, ends=json.dumps(ends), youngest=max(ends.values())
    )
    return [
        record for record in records if record.retention_reason(today, is_requested=False) is None
    ]


def records_of_people(record_set: RecordSet, people: Sequence[UUID]) -> list[DatedRecord]:
    """Return all records of these people, due or not."""
    return _load_records(record_set, record_set.requester_condition, people=list(people))


def plan_scheduled_purge(*, at: datetime) -> Purge | None:
    """Plan the purge of all due records; return None if none is due or a purge is open.

    A small purge starts without approval; a large one waits for two people.
    """
    with transaction.atomic():
        if not query_row("select pg_try_advisory_xact_lock(%s)", [_PLANNING_LOCK_KEY])[0]:
            return None
        if Purge.objects.filter(reason="schedule", ended_at=None).exists():
            return None
        today = at.date()
        chosen = {
            record_set.name: [row.id for row in due_records(record_set, today=today)]
            for record_set in RECORD_SETS
        }
        return _store_plan(chosen, because="schedule", at=at)


def plan_request_purge(
    request: PrivacyRequest, chosen: Mapping[str, Sequence[UUID]], *, by: User, at: datetime
) -> Purge | None:
    """Plan the removal for a deletion request; above `SECOND_PERSON_ABOVE` it needs approval."""
    return _store_plan(chosen, because="request", at=at, request=request, by=by)


def plan_restore_purge(chosen: Mapping[str, Sequence[UUID]], *, at: datetime) -> Purge | None:
    """Plan the removal of records that a backup restored; they were approved before."""
    with transaction.atomic():
        return _store_plan(chosen, because="restore", at=at)


def request_purge(*, purge_id: UUID, by: User, at: datetime) -> None:
    """Record the first of two approvals. Raises `PurgeRefused`."""
    pending = Purge.objects.filter(pk=purge_id, requested_by=None, approved_at=None)
    if not pending.update(requested_by=by, requested_at=at):
        raise PurgeRefused("This purge was already reviewed.")
    write_event("compliance.purge.asked", at=at, actor=f"user:{by.pk}", purge=purge_id)


def approve_purge(*, purge_id: UUID, by: User, at: datetime) -> None:
    """Record the second of two approvals and start the purge. Raises `PurgeRefused`."""
    pending = Purge.objects.filter(pk=purge_id, requested_by__isnull=False, approved_at=None)
    if pending.filter(requested_by=by).exists():
        raise PurgeRefused("You reviewed this purge first. A second person must approve it.")
    if not pending.update(approved_by=by, approved_at=at):
        raise PurgeRefused("This purge needs no approval.")
    write_event("compliance.purge.approved", at=at, actor=f"user:{by.pk}", purge=purge_id)


def remove_next_slice(*, at: datetime) -> int:
    """Run one slice of an approved purge; return the number of records handled, 0 if none is left.

    Two processes take different rows. No hold can be placed while a slice runs.
    """
    with assume_role("keeper"):
        for purge in Purge.objects.filter(approved_at__isnull=False, ended_at=None).order_by("pk"):
            execute("lock table legal_hold in share mode")
            if rows := _claim_slice(purge):
                _process_slice(purge, RECORD_SETS_BY_NAME[rows[0].record_set], rows, at)
                return len(rows)
            _finish_purge(purge, at)
    return 0


def ids_commitment(ids: Iterable[UUID]) -> str:
    """Return the SHA-256 (hex) of the sorted ids, one per line."""
    return hashlib.sha256("\n".join(sorted(str(row_id) for row_id in ids)).encode()).hexdigest()


def _store_plan(
    chosen: Mapping[str, Sequence[UUID]], *, because: str, at: datetime, **more: Any
) -> Purge | None:
    by, counted = more.pop("by", None), sum(map(len, chosen.values()))
    if not counted:
        return None
    starts_at_once = counted <= SECOND_PERSON_ABOVE or because == "restore"
    purge = Purge.objects.create(
        id=uuid7_at(at), reason=because, on_date=at.date(), counted=counted,
        counts={name: len(rows) for name, rows in chosen.items() if rows},
        rules_version=RULES_VERSION, planned_at=at, approved_at=at if starts_at_once else None,
        requested_by=by, requested_at=at if by else None, **more,
    )  # fmt: skip
    for nth, record_set in enumerate(RECORD_SETS):
        for batch in batched(chosen.get(record_set.name, ()), 1000):
            PurgeRow.objects.bulk_create(
                PurgeRow(purge=purge, position=nth, record_set=record_set.name, row_id=row_id)
                for row_id in batch
            )
    write_event(
        "compliance.purge.planned", at=at, actor=f"user:{by.pk}" if by else "system:clock",
        purge=purge.pk, because=because, counts=purge.counts, rules_version=RULES_VERSION,
    )  # fmt: skip
    return purge


def _claim_slice(purge: Purge) -> list[PurgeRow]:
    """Lock some rows that no other process has taken, all from the next record set."""
    remaining = purge.rows.filter(removed_at=None, kept_reason="")
    nth = remaining.order_by("position").values_list("position", flat=True).first()
    if nth is None:
        return []
    return list(
        remaining.filter(position=nth)
        .order_by("pk")
        .select_for_update(skip_locked=True)[:SLICE_SIZE]
    )


def _process_slice(
    purge: Purge, record_set: RecordSet, rows: Sequence[PurgeRow], at: datetime
) -> None:
    """Remove the rows that no hold and no clock keeps; store the reason with the others.

    After a restore only holds count: an erased record is erased again whatever its clocks say.
    """
    is_restore, is_requested = purge.reason == "restore", purge.reason == "request"
    if is_restore:
        record_set = replace(record_set, condition="true")  # in any state the backup restored
    ids = [row.row_id for row in rows]
    records = _load_records(record_set, "r.id = any(%(ids)s::uuid[])", ids=ids)
    records_by_id = {record.id: record for record in records}
    due_rows: list[PurgeRow] = []
    kept: tuple[str, str] | None
    for row in rows:
        record = records_by_id.get(row.row_id)
        if record is None:
            kept = ("", ALREADY_GONE)
        elif is_restore:
            kept = ("", "legal_hold") if record.is_held else None
        else:
            kept = record.retention_reason(at.date(), is_requested=is_requested)
        if kept is None:
            due_rows.append(row)
        else:
            PurgeRow.objects.filter(pk=row.pk).update(kept_reason=kept[1])
    if due_rows:
        _remove_rows(purge, record_set, due_rows, at)


def _remove_rows(
    purge: Purge, record_set: RecordSet, rows: Sequence[PurgeRow], at: datetime
) -> None:
    ids = [row.row_id for row in rows]
    for statement in record_set.removal_statements:
        execute(statement, {"ids": ids, "at": at})
    event = write_event(
        PURGED_EVENT,
        at=at,
        actor="system:purge",
        purge=purge.pk,
        because=purge.reason,
        holding=record_set.name,
        record=record_set.record_class,
        count=len(ids),
        sha256=ids_commitment(ids),
        on_date=str(purge.on_date),
        rules_version=purge.rules_version,
    )
    PurgeRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        removed_at=at, event_id=event.pk
    )


def _finish_purge(purge: Purge, at: datetime) -> None:
    """End a purge when no row is left, including rows another process is working on."""
    if purge.rows.filter(removed_at=None, kept_reason="").exists():
        return
    if Purge.objects.filter(pk=purge.pk, ended_at=None).update(ended_at=at):
        removed = purge.rows.filter(removed_at__isnull=False).count()
        write_event(
            "compliance.purge.ended", at=at, actor="system:purge", purge=purge.pk,
            removed=removed, kept=purge.rows.count() - removed,
        )  # fmt: skip


def _load_records(record_set: RecordSet, condition: str, **parameters: Any) -> list[DatedRecord]:
    """Load records with their clocks; lock those selected by `ids` to see any use until now."""
    query = _RECORDS_SQL.format(
        held=IS_HELD_SQL, table=record_set.table, people=record_set.people_sql,
        since=record_set.clocks_sql, which=record_set.condition, name=record_set.name,
        condition=condition,
    )  # fmt: skip
    if "ids" in parameters:
        lock = f'select from "{record_set.table}" where id = any(%(ids)s::uuid[]) for update'
        execute(lock, parameters)
    rows = query_rows(query, parameters)
    return [
        DatedRecord(
            id=row_id,
            since={
                key: date.fromisoformat(start) if start else None
                for key, start in json.loads(since).items()
            },
            is_held=is_held,
        )
        for row_id, since, is_held in rows
    ]

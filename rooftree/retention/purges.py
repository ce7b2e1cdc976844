"""Removing what is no longer kept: counted first, approved when it is much, in slices, proved.

A plan names the records that may go. A slice takes some of them, reads their clocks and the
holds once more, removes what still may go, and commits to it on the ledger: all in one
transaction, so a program that dies leaves a slice undone and nothing half.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rooftree.compliance.gate.rulebook import RULES_VERSION
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.db_role import assume_role
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.retention import deletion_rule
from rooftree.retention.legal_holds import IS_HELD_SQL
from rooftree.retention.models import PrivacyRequest, Purge, PurgeRow
from rooftree.retention.record_set import RecordSet
from rooftree.retention.record_sets import RECORD_SETS, RECORD_SETS_BY_NAME
from rooftree.retention.retention_schedule import SCHEDULE

SECOND_PERSON_ABOVE = 200  # records that nobody removes alone: two people say so first
MAX_RECORDS_PER_SET = 20_000  # of one holding in one plan; the next plan takes the rest
SLICE_SIZE = 100
PURGED_EVENT = "compliance.records.purged"
ALREADY_GONE = "gone before"  # when its turn came
_PLANNING_LOCK_KEY = 0x726F_6F66_0029  # of the advisory lock of planning

# `ends` holds, by class, the last day on which a clock may have begun that has ended by now.
_CLOCKS_ENDED_SQL = """(select bool_and(s.value::date <= (%(ends)s::jsonb ->> s.key)::date)
    from jsonb_each_text(q.since) s)"""
_RECORDS_SQL = """
select r.id, q.since, {held}
  from "{table}" r
 cross join lateral (select {people} as people) o
 cross join lateral (select {since} as since) q
 where {which} and not exists (select from purge_row g
    where g.holding = '{name}' and g.row_id = r.id and g.removed_at is not null)
   and {condition}
"""


class PurgeRefused(Exception):
    """Already decided, or by the same person twice. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRecord:
    """One record as its clocks and the holds see it now."""

    id: UUID
    since: Mapping[str, date | None]  # class: the day its clock began
    is_held: bool

    def retention_reason(self, today: date, *, is_asked: bool) -> tuple[str, str] | None:
        """The class that keeps it and the reason, None when it may go.

        Args:
            is_asked: its own person wants it gone (PRV-01).
        """
        for key, since in self.since.items():
            said = deletion_rule.check_deletion(
                record=key, since=since, today=today, is_held=self.is_held
            )
            yields = is_asked and SCHEDULE[key].on_request and not self.is_held
            if said.decision.value != "allow" and not yields:
                return key, said.reason
        return None


def due_records(holding: RecordSet, *, today: date) -> list[DatedRecord]:
    """The records whose every clock has ended and that no hold keeps."""
    ends = _clock_cutoffs(today)
    condition = (
        f"r.{holding.created_column} < %(youngest)s and {_CLOCKS_ENDED_SQL} "
        f"and not {IS_HELD_SQL} limit {MAX_RECORDS_PER_SET}"
    )
    found = _load_records(holding, condition, ends=json.dumps(ends), youngest=max(ends.values()))
    return [
        dated_record
        for dated_record in found
        if dated_record.retention_reason(today, is_asked=False) is None
    ]


def records_of_people(holding: RecordSet, people: Sequence[UUID]) -> list[DatedRecord]:
    """Every record of these people, due or not."""
    return _load_records(holding, holding.requester_condition, people=list(people))


def plan_scheduled_purge(*, at: datetime) -> Purge | None:
    """Count what is due by the schedule and write it down; None when nothing is, or one waits.

    A small one goes by itself; a large one waits for two people.
    """
    with transaction.atomic():
        if (
            not _try_planning_lock()
            or Purge.objects.filter(because="schedule", ended_at=None).exists()
        ):
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
    """Write down what a person's deletion removes; more than `LARGE` waits for a second person."""
    return _store_plan(chosen, because="request", at=at, request=request, by=by)


def plan_restore_purge(chosen: Mapping[str, Sequence[UUID]], *, at: datetime) -> Purge | None:
    """Write down what a restored backup brought back; it goes at once, as it was let go before."""
    with transaction.atomic():
        return _store_plan(chosen, because="restore", at=at)


def request_purge(*, purge_id: UUID, by: User, at: datetime) -> None:
    """The first of two people says that it may go. Raises `CannotPurge`."""
    waits = Purge.objects.filter(pk=purge_id, asked_by=None, approved_at=None)
    if not waits.update(asked_by=by, asked_at=at):
        raise PurgeRefused("Somebody has looked at it already.")
    write_event("compliance.purge.asked", at=at, actor=f"user:{by.pk}", purge=purge_id)


def approve_purge(*, purge_id: UUID, by: User, at: datetime) -> None:
    """The second of two people says that it may go, and it begins. Raises `CannotPurge`."""
    waits = Purge.objects.filter(pk=purge_id, asked_by__isnull=False, approved_at=None)
    if waits.filter(asked_by=by).exists():
        raise PurgeRefused("You looked at it first. A second person approves it.")
    if not waits.update(approved_by=by, approved_at=at):
        raise PurgeRefused("It does not wait for an approval.")
    write_event("compliance.purge.approved", at=at, actor=f"user:{by.pk}", purge=purge_id)


def remove_next_slice(*, at: datetime) -> int:
    """Do one slice of a purge that may go; how many records it dealt with, 0 when none is left.

    Two clocks take different rows. Nobody can place a hold while a slice runs.
    """
    with assume_role("keeper"):
        for purge in Purge.objects.filter(approved_at__isnull=False, ended_at=None).order_by("pk"):
            with connection.cursor() as cursor:
                cursor.execute("lock table legal_hold in share mode")
            if taken := _claim_slice(purge):
                _process_slice(purge, RECORD_SETS_BY_NAME[taken[0].holding], taken, at)
                return len(taken)
            _finish_purge(purge, at)
    return 0


def ids_commitment(ids: Iterable[UUID]) -> str:
    """The SHA-256 (hex) of the ids, in order, a line each."""
    return hashlib.sha256("\n".join(sorted(str(one) for one in ids)).encode()).hexdigest()


def _store_plan(
    chosen: Mapping[str, Sequence[UUID]], *, because: str, at: datetime, **more: Any
) -> Purge | None:
    by, counted = more.pop("by", None), sum(map(len, chosen.values()))
    if not counted:
        return None
    goes_at_once = counted <= SECOND_PERSON_ABOVE or because == "restore"
    purge = Purge.objects.create(
        id=uuid7_at(at), because=because, on_date=at.date(), counted=counted,
        counts={name: len(rows) for name, rows in chosen.items() if rows},
        rules_version=RULES_VERSION, planned_at=at, approved_at=at if goes_at_once else None,
        asked_by=by, asked_at=at if by else None, **more,
    )  # fmt: skip
    for nth, one in enumerate(RECORD_SETS):
        for some in batched(chosen.get(one.name, ()), 1000):
            PurgeRow.objects.bulk_create(
                PurgeRow(purge=purge, nth=nth, holding=one.name, row_id=key) for key in some
            )
    write_event(
        "compliance.purge.planned", at=at, actor=f"user:{by.pk}" if by else "system:clock",
        purge=purge.pk, because=because, counts=purge.counts, rules_version=RULES_VERSION,
    )  # fmt: skip
    return purge


def _claim_slice(purge: Purge) -> list[PurgeRow]:
    """Some rows that nobody else has taken, all of the holding whose turn it is."""
    open_ = purge.rows.filter(removed_at=None, kept_because="")
    nth = open_.order_by("nth").values_list("nth", flat=True).first()
    if nth is None:
        return []
    return list(
        open_.filter(nth=nth).order_by("pk").select_for_update(skip_locked=True)[:SLICE_SIZE]
    )


def _process_slice(
    purge: Purge, holding: RecordSet, taken: Sequence[PurgeRow], at: datetime
) -> None:
    ids = [purge_row.row_id for purge_row in taken]
    by_id = "r.id = any(%(ids)s::uuid[])"
    if purge.because == "restore":
        holding = replace(holding, condition="true")  # whatever state the backup brought it back in
    found = {record.id: record for record in _load_records(holding, by_id, ids=ids)}
    goes: list[PurgeRow] = []
    for row in taken:
        record = found.get(row.row_id)
        kept = ("", ALREADY_GONE) if record is None else _reason_kept(purge, record, at.date())
        if kept is None:
            goes.append(row)
        else:
            PurgeRow.objects.filter(pk=row.pk).update(kept_because=kept[1])
    if goes:
        _remove_rows(purge, holding, goes, at)


def _reason_kept(purge: Purge, record: DatedRecord, today: date) -> tuple[str, str] | None:
    """Erased once is erased again after a restore, whatever its clocks say there."""
    if purge.because == "restore":
        return ("", "legal_hold") if record.is_held else None
    return record.retention_reason(today, is_asked=purge.because == "request")


def _remove_rows(purge: Purge, holding: RecordSet, rows: Sequence[PurgeRow], at: datetime) -> None:
    ids = [row.row_id for row in rows]
    with connection.cursor() as cursor:
        for statement in holding.removal_statements:
            cursor.execute(statement, {"ids": ids, "at": at})
    event = write_event(
        PURGED_EVENT,
        at=at,
        actor="system:purge",
        purge=purge.pk,
        because=purge.because,
        holding=holding.name,
        record=holding.record_class,
        count=len(ids),
        sha256=ids_commitment(ids),
        on_date=str(purge.on_date),
        rules_version=purge.rules_version,
    )
    PurgeRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        removed_at=at, event_id=event.pk
    )


def _finish_purge(purge: Purge, at: datetime) -> None:
    """It is through when no row is left, also none that another clock has taken just now."""
    if purge.rows.filter(removed_at=None, kept_because="").exists():
        return
    if Purge.objects.filter(pk=purge.pk, ended_at=None).update(ended_at=at):
        removed = purge.rows.filter(removed_at__isnull=False).count()
        write_event(
            "compliance.purge.ended", at=at, actor="system:purge", purge=purge.pk,
            removed=removed, kept=purge.rows.count() - removed,
        )  # fmt: skip


def _load_records(holding: RecordSet, condition: str, **given: Any) -> list[DatedRecord]:
    """They are locked as far as they are removed one by one: what is used meanwhile is seen."""
    query = _RECORDS_SQL.format(
        held=IS_HELD_SQL, table=holding.table, people=holding.people_sql, since=holding.clocks_sql,
        which=holding.condition, name=holding.name, condition=condition,
    )  # fmt: skip
    with connection.cursor() as cursor:
        if "ids" in given:
            lock = f'select from "{holding.table}" where id = any(%(ids)s::uuid[]) for update'
            cursor.execute(lock, given)
        cursor.execute(query, given)
        rows = cursor.fetchall()
    return [
        DatedRecord(
            id=key,
            since={
                name: date.fromisoformat(began) if began else None
                for name, began in json.loads(since).items()
            },
            is_held=is_held,
        )
        for key, since, is_held in rows
    ]


def _clock_cutoffs(today: date) -> dict[str, str]:
    """By class, a day no clock that has ended began after; months are judged to the day later."""
    months = {key: one.months for key, one in SCHEDULE.items() if one.months}
    return {key: str(today - timedelta(days=30 * number)) for key, number in months.items()}


def _try_planning_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_PLANNING_LOCK_KEY])
        return bool(cursor.fetchone()[0])

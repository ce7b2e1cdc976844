"""Proof that purged records are gone, match the ledger exactly and leave nothing dangling."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from rooftree.db.statements import query_rows
from rooftree.ledger.models import Event
from rooftree.retention.models import PurgeRow
from rooftree.retention.purges import PURGED_EVENT, ids_commitment
from rooftree.retention.record_sets import RECORD_SETS

_REMAINING_SQL = """
select g.record_set || ':' || g.row_id from purge_row g join "{table}" r on r.id = g.row_id
 where g.record_set = '{name}' and g.removed_at is not null and ({remains})
"""
# A verdict or an attempt that belongs to a removed message.
_DANGLING_SQL = """
select 'verdict:' || v.id from purge_row g
  join verdict v on v.idempotency_key = 'message:' || g.row_id
 where g.record_set = 'message' and g.removed_at is not null
union all
select 'contact_attempt:' || a.id from purge_row g
  join contact_attempt a on a.idempotency_key = 'message:' || g.row_id
 where g.record_set = 'message' and g.removed_at is not null
"""
_UNRECORDED_SQL = """
select g.record_set || ':' || g.row_id from purge_row g
 where g.removed_at is not null and not exists
   (select from event e where e.id = g.event_id and e.kind = %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeProof:
    """The result of a check: the counts of removals and the problems found."""

    removed: int
    slices: int
    problems: list[str]


def prove_purges() -> PurgeProof:
    """Check each removal entry of the ledger against the purge rows and the tables."""
    problems: list[str] = []
    removed = slices = 0
    rows = PurgeRow.objects.exclude(event_id=None).order_by("event_id")
    pairs = rows.values_list("event_id", "row_id").iterator()
    rows_by_event = {
        event_id: _count_and_commitment(row_id for _, row_id in group)
        for event_id, group in groupby(pairs, itemgetter(0))
    }
    for event in Event.objects.filter(kind=PURGED_EVENT).order_by("id").iterator():
        actual = rows_by_event.get(event.pk, _count_and_commitment(()))
        slices, removed = slices + 1, removed + actual[0]
        if actual != (event.data["count"], event.data["sha256"]):
            problems.append(f"event:{event.pk} commits to other records")
    for record_set in RECORD_SETS:
        problems += _select_keys(
            _REMAINING_SQL.format(
                table=record_set.table, name=record_set.name, remains=record_set.remains_condition
            )
        )
    problems += _select_keys(_DANGLING_SQL)
    problems += _select_keys(_UNRECORDED_SQL, PURGED_EVENT)
    return PurgeProof(removed=removed, slices=slices, problems=problems)


def _count_and_commitment(ids: Iterable[UUID]) -> tuple[int, str]:
    """Return the number of ids and their commitment."""
    id_list = list(ids)
    return len(id_list), ids_commitment(id_list)


def _select_keys(query: str, *parameters: str) -> list[str]:
    return [row[0] for row in query_rows(query, parameters or None)]

"""That what the ledger says is gone is gone, that it is exactly that, and that nothing dangles."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from django.db import connection

from rooftree.ledger.models import Event
from rooftree.retention.models import PurgeRow
from rooftree.retention.purges import PURGED_EVENT, ids_commitment
from rooftree.retention.record_sets import RECORD_SETS

_REMAINING_SQL = """
select g.holding || ':' || g.row_id from purge_row g join "{table}" r on r.id = g.row_id
 where g.holding = '{name}' and g.removed_at is not null and ({remains})
"""
# A proof, an attempt or a review of a message that was removed.
_DANGLING_SQL = """
select 'verdict:' || v.id from purge_row g
  join verdict v on v.cause = 'message:' || g.row_id
 where g.holding = 'message' and g.removed_at is not null
union all
select 'contact_attempt:' || a.id from purge_row g
  join contact_attempt a on a.cause = 'message:' || g.row_id
 where g.holding = 'message' and g.removed_at is not null
"""
_UNRECORDED_SQL = """
select g.holding || ':' || g.row_id from purge_row g
 where g.removed_at is not null and not exists
   (select from event e where e.id = g.event_id and e.kind = %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeProof:
    """What was found: how much was removed, and what speaks against it."""

    removed: int
    slices: int
    problems: list[str]


def prove_purges() -> PurgeProof:
    """Hold every entry of the ledger about a removal against the rows and the tables."""
    against: list[str] = []
    removed = slices = 0
    rows = PurgeRow.objects.exclude(event_id=None).order_by("event_id")
    pairs = rows.values_list("event_id", "row_id").iterator()
    found = {
        key: _count_and_commitment(one for _, one in some)
        for key, some in groupby(pairs, itemgetter(0))
    }
    for event in Event.objects.filter(kind=PURGED_EVENT).order_by("id").iterator():
        seen = found.get(event.pk, _count_and_commitment(()))
        slices, removed = slices + 1, removed + seen[0]
        if seen != (event.data["count"], event.data["sha256"]):
            against.append(f"event:{event.pk} commits to other records")
    for record_set in RECORD_SETS:
        against += _select_keys(
            _REMAINING_SQL.format(
                table=record_set.table, name=record_set.name, remains=record_set.remains_condition
            )
        )
    against += _select_keys(_DANGLING_SQL)
    against += _select_keys(_UNRECORDED_SQL, PURGED_EVENT)
    return PurgeProof(removed=removed, slices=slices, problems=against)


def _count_and_commitment(ids: Iterable[UUID]) -> tuple[int, str]:
    """How many they are, and what commits to them."""
    listed = list(ids)
    return len(listed), ids_commitment(listed)


def _select_keys(query: str, *given: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, given or None)
        return [row[0] for row in cursor.fetchall()]

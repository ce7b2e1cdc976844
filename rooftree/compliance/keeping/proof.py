"""That what the ledger says is gone is gone, that it is exactly that, and that nothing dangles."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from django.db import connection

from rooftree.compliance.keeping.holdings import HOLDINGS
from rooftree.compliance.keeping.models import PurgeRow
from rooftree.compliance.keeping.purges import EVENT, commitment
from rooftree.ledger.models import Event

_STILL = """
select g.holding || ':' || g.row_id from purge_row g join "{table}" r on r.id = g.row_id
 where g.holding = '{name}' and g.removed_at is not null and ({remains})
"""
# A proof, an attempt or a review of a message that was removed.
_DANGLES = """
select 'verdict:' || v.id from purge_row g
  join verdict v on v.cause = 'message:' || g.row_id
 where g.holding = 'message' and g.removed_at is not null
union all
select 'contact_attempt:' || a.id from purge_row g
  join contact_attempt a on a.cause = 'message:' || g.row_id
 where g.holding = 'message' and g.removed_at is not null
"""
_UNTOLD = """
select g.holding || ':' || g.row_id from purge_row g
 where g.removed_at is not null and not exists
   (select from event e where e.id = g.event_id and e.kind = %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found: how much was removed, and what speaks against it."""

    removed: int
    slices: int
    against: list[str]


def prove() -> Proof:
    """Hold every entry of the ledger about a removal against the rows and the tables."""
    against: list[str] = []
    removed = slices = 0
    rows = PurgeRow.objects.exclude(event_id=None).order_by("event_id")
    pairs = rows.values_list("event_id", "row_id").iterator()
    found = {key: _sum(one for _, one in some) for key, some in groupby(pairs, itemgetter(0))}
    for event in Event.objects.filter(kind=EVENT).order_by("id").iterator():
        seen = found.get(event.pk, _sum(()))
        slices, removed = slices + 1, removed + seen[0]
        if seen != (event.data["count"], event.data["sha256"]):
            against.append(f"event:{event.pk} commits to other records")
    for one in HOLDINGS:
        against += _asked(_STILL.format(table=one.table, name=one.name, remains=one.remains))
    against += _asked(_DANGLES)
    against += _asked(_UNTOLD, EVENT)
    return Proof(removed=removed, slices=slices, against=against)


def _sum(ids: Iterable[UUID]) -> tuple[int, str]:
    """How many they are, and what commits to them."""
    listed = list(ids)
    return len(listed), commitment(listed)


def _asked(query: str, *given: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, given or None)
        return [row[0] for row in cursor.fetchall()]

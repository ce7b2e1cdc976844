"""Adds committed events to the hash chain, each once."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from rooftree.db.db_role import assume_role
from rooftree.db.statements import execute, query_row
from rooftree.ledger.chain import GENESIS_HASH, HASHED_FIELDS, link_hash
from rooftree.ledger.models import Event

_LOCK_KEY = 0x726F_6F66_0001  # advisory lock; any number that only sealers use

# A row already sealed by something else is not updated; the row count reveals it.
_STORE_POSITIONS_SQL = """
update event
   set sequence = sealed.sequence, person_place = sealed.person_place,
       chain_hash = sealed.chain_hash
  from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[])
    as sealed (id, sequence, person_place, chain_hash)
 where event.id = sealed.id and event.sequence is null
"""


class ChainConflict(Exception):
    """An event was sealed by something that does not hold the sealer's lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The end of the chain after a sealing; store it elsewhere, as it proves all before it."""

    sequence: int
    chain_hash: str
    sealed_count: int  # events added by this sealing
    at: datetime


def seal_events(*, at: datetime, limit: int = 1000) -> ChainHead | None:
    """Add up to `limit` committed events to the chain; return its new head.

    Returns None if another sealer is running. Events don't commit in the order of
    their ids: a late one gets the next number, and a number never changes.
    """
    with assume_role("sealer"):
        if not query_row("select pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])[0]:
            return None
        last = Event.objects.exclude(sequence=None).order_by("-sequence").first()
        sequence, chain_hash = (last.sequence or 0, last.chain_hash) if last else (0, GENESIS_HASH)
        rows = list(
            Event.objects.filter(sequence=None).order_by("id").values(*HASHED_FIELDS)[:limit]
        )
        counts = _count_per_person({row["person_id"] for row in rows} - {None})
        for row in rows:
            sequence += 1
            if row["person_id"]:
                counts[row["person_id"]] += 1
                row["person_place"] = counts[row["person_id"]]
            chain_hash = link_hash(row, sequence=sequence, previous=chain_hash)
            row |= {"sequence": sequence, "chain_hash": chain_hash}
        if rows:
            _store_positions(rows)
    return ChainHead(sequence=sequence, chain_hash=chain_hash, sealed_count=len(rows), at=at)


def _count_per_person(people: set[UUID]) -> Counter[UUID]:
    """Count the sealed events of each person."""
    sealed = Event.objects.filter(person_id__in=people, person_place__isnull=False)
    last_places = sealed.values_list("person_id").annotate(last=Max("person_place"))
    return Counter({person: last for person, last in last_places if person and last})


def _store_positions(rows: list[dict[str, Any]]) -> None:
    names = ("id", "sequence", "person_place", "chain_hash")
    columns = [[row.get(name) for row in rows] for name in names]
    if execute(_STORE_POSITIONS_SQL, columns) != len(rows):
        raise ChainConflict("Events were sealed by something else at the same time.")

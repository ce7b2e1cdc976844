"""Giving events their place in the chain, once, after they are committed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from rooftree.ledger.chain import FIELDS, FIRST, link
from rooftree.ledger.models import Event

_MUTEX = 0x726F_6F66_0001  # of the advisory lock; any number that only sealers use

# A row that got its place from somebody else is not given another: the count shows it.
_PLACE = """
update event set sequence = sealed.sequence, chain_hash = sealed.chain_hash
  from unnest(%s::uuid[], %s::bigint[], %s::text[]) as sealed (id, sequence, chain_hash)
 where event.id = sealed.id and event.sequence is null
"""


class ChainMoved(Exception):
    """An event was sealed by something that does not hold the sealer's mutex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain after a sealing; worth keeping elsewhere, as it proves all before."""

    sequence: int
    chain_hash: str
    sealed: int  # how many events this sealing added
    at: datetime


def seal(*, at: datetime, limit: int = 1000) -> Head | None:
    """Add up to `limit` committed events to the chain; the new head of it.

    Returns None when another sealer is at work: there is nothing to do.
    Events commit in another order than their ids. One that shows up late gets
    the next number like any other; a number once given is never changed.
    """
    with transaction.atomic():
        if not _alone():
            return None
        last = Event.objects.exclude(sequence=None).order_by("-sequence").first()
        sequence, chain_hash = (last.sequence or 0, last.chain_hash) if last else (0, FIRST)
        rows = Event.objects.filter(sequence=None).order_by("id").values(*FIELDS)[:limit]
        ids, places, hashes = [], [], []
        for row in rows:
            sequence += 1
            chain_hash = link(row, sequence=sequence, previous=chain_hash)
            ids.append(row["id"])
            places.append(sequence)
            hashes.append(chain_hash)
        if ids:
            _place(ids, places, hashes)
    return Head(sequence=sequence, chain_hash=chain_hash, sealed=len(ids), at=at)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_MUTEX])
        return bool(cursor.fetchone()[0])


def _place(ids: list[object], places: list[int], hashes: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [ids, places, hashes])
        if cursor.rowcount != len(ids):
            raise ChainMoved("Events were sealed by something else at the same time.")

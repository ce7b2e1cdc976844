"""Keeping a delivery: its key, its bytes, its event and its nudge, in one statement or not at all.

A post waits for it, so it costs one journey to the database, which commits by itself.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.models import Model
from django.tasks import Task

from rooftree.capture.recognise import STAMP, Outdated, stamp_of
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.ledger.models import Event
from rooftree.org.insert import columns_of, places_of, values_of
from rooftree.tasks import nudge

LONGEST_KEY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is written down together. Without a key nothing is a repetition of it."""

    delivery: Delivery
    event: Event
    key: DeliveryKey | None
    wakes: "Task[[], None] | None"


def keep(what: Kept) -> bool:
    """Write it all; False, and nothing is written, where the key is another delivery's already.

    Waits for whoever is writing the same key in this instant. Raises `Outdated`
    when the source is no longer as it was looked up.
    """
    source = what.delivery.source
    stamp = stamp_of(source)
    values = [source.pk, stamp, stamp]
    for row in (what.key, what.delivery, what.event):
        values += values_of(row) if row is not None else []
    if what.wakes is not None:
        values += nudge.values(what.wakes)
    with connection.cursor() as cursor:
        cursor.execute(_statement(what.key is not None, what.wakes is not None), values)
        is_current, is_kept, *_ = cursor.fetchone()
    if not is_current:
        raise Outdated(f"{source} was changed.")
    return bool(is_kept)


def key_at(source: Source, key: str) -> str:
    """The key among those of this source, as the column can hold it.

    A vendor's id is unique at one account, and two accounts at one vendor are two
    sources here. It may be of any length.
    """
    own = f"{source.pk.hex}:{key}"
    if len(own) <= LONGEST_KEY:
        return own
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return f"{source.pk.hex}:{key.partition(':')[0]}:sha256:{hashed}"


@cache
def _statement(has_key: bool, wakes: bool) -> str:
    claim = _insert(DeliveryKey, "source_now", " on conflict (key) do nothing returning key")
    parts = {
        "source_now": f"select from source where id = %s and ({STAMP} = %s or %s::text is null)",
        "cause": claim if has_key else "select from source_now",
        "bytes": _insert(Delivery, "cause"),
        "told": _insert(Event, "cause"),
    } | ({"nudge": nudge.WRITE} if wakes else {})
    asked = ["exists(select from source_now)", "exists(select from cause)"]
    asked += [nudge.TELL] if wakes else []
    written = ", ".join(f"{name} as ({text})" for name, text in parts.items())
    return f"with {written} select {', '.join(asked)}"


def _insert(table: type[Model], cause: str, ending: str = "") -> str:
    """A row of the table for the row of `cause`, if there is one."""
    name, columns, places = table._meta.db_table, columns_of(table), places_of(table)
    return f'insert into "{name}" ({columns}) select {places} from {cause}{ending}'  # noqa: S608

"""Keeping a delivery: its key, its bytes, its event and its nudge, in one statement or not at all.

A post waits for it, so it costs one journey to the database, which commits by itself.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.models import Model
from django.tasks import Task

from rooftree.capture.intake.source_lookup import ROW_VERSION_SQL, SourceChanged, row_version
from rooftree.db.bulk_insert import column_list, placeholder_list, row_values
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.ledger.models import Event
from rooftree.tasks import enqueue_sql

MAX_KEY_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWrite:
    """What is written down together. Without a key nothing is a repetition of it."""

    delivery: Delivery
    event: Event
    key: DeliveryKey | None
    wake_task: "Task[[], None] | None"


def store_delivery(what: DeliveryWrite) -> bool:
    """Write it all; False, and nothing is written, where the key is another delivery's already.

    Waits for whoever is writing the same key in this instant. Raises `Outdated`
    when the source is no longer as it was looked up.
    """
    source = what.delivery.source
    stamp = row_version(source)
    values = [source.pk, stamp, stamp]
    for row in (what.key, what.delivery, what.event):
        values += row_values(row) if row is not None else []
    if what.wake_task is not None:
        values += enqueue_sql.enqueue_values(what.wake_task)
    with connection.cursor() as cursor:
        cursor.execute(_insert_statement(what.key is not None, what.wake_task is not None), values)
        is_current, is_kept, *_ = cursor.fetchone()
    if not is_current:
        raise SourceChanged(f"{source} was changed.")
    return bool(is_kept)


def delivery_key(source: Source, key: str) -> str:
    """The key among those of this source, as the column can hold it.

    A vendor's id is unique at one account, and two accounts at one vendor are two
    sources here. It may be of any length.
    """
    own = f"{source.pk.hex}:{key}"
    if len(own) <= MAX_KEY_LENGTH:
        return own
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return f"{source.pk.hex}:{key.partition(':')[0]}:sha256:{hashed}"


@cache
def _insert_statement(has_key: bool, wakes: bool) -> str:
    claim = _insert_sql(DeliveryKey, "source_now", " on conflict (key) do nothing returning key")
    parts = {
        "source_now": f"select from source where id = %s and ({ROW_VERSION_SQL} = %s or %s::text is null)",
        "cause": claim if has_key else "select from source_now",
        "bytes": _insert_sql(Delivery, "cause"),
        "told": _insert_sql(Event, "cause"),
    } | ({"nudge": enqueue_sql.ENQUEUE_ONCE} if wakes else {})
    asked = ["exists(select from source_now)", "exists(select from cause)"]
    asked += [enqueue_sql.NOTIFY_WORKERS] if wakes else []
    written = ", ".join(f"{name} as ({text})" for name, text in parts.items())
    return f"with {written} select {', '.join(asked)}"


def _insert_sql(table: type[Model], cause: str, ending: str = "") -> str:
    """A row of the table for the row of `cause`, if there is one."""
    name, columns, places = table._meta.db_table, column_list(table), placeholder_list(table)
    return f'insert into "{name}" ({columns}) select {places} from {cause}{ending}'  # noqa: S608

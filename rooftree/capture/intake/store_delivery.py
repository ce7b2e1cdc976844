"""Store a delivery: its key, bytes, ledger event and task, all in one statement or not at all.

A post waits for the result, so it costs one database round trip, which commits by itself.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

from django.db.models import Model
from django.tasks import Task

from rooftree.capture.intake.source_lookup import ROW_VERSION_SQL, SourceChanged, row_version
from rooftree.db.bulk_insert import column_list, placeholder_list, row_values
from rooftree.db.statements import query_row
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.ledger.models import Event
from rooftree.tasks import enqueue_sql

MAX_KEY_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWrite:
    """The rows written together for one delivery; without a key, no delivery repeats it."""

    delivery: Delivery
    event: Event
    key: DeliveryKey | None
    wake_task: "Task[[], None] | None"


def store_delivery(write: DeliveryWrite) -> bool:
    """Store the delivery; return False, storing nothing, if another delivery has the key.

    Waits for a concurrent writer of the same key. Raises `SourceChanged` when the
    source was changed since it was looked up.
    """
    source = write.delivery.source
    stamp = row_version(source)
    values = [source.pk, stamp, stamp]
    for row in (write.key, write.delivery, write.event):
        values += row_values(row) if row is not None else []
    if write.wake_task is not None:
        values += enqueue_sql.enqueue_values(write.wake_task)
    is_current, is_stored, *_ = query_row(
        _insert_statement(write.key is not None, write.wake_task is not None), values
    )
    if not is_current:
        raise SourceChanged(f"{source} was changed.")
    return bool(is_stored)


def delivery_key(source: Source, key: str) -> str:
    """Return the key scoped to this source, hashed if it is too long for the column.

    A vendor's id is unique within one account, and two accounts at one vendor are two
    sources here. The id can have any length.
    """
    scoped_key = f"{source.pk.hex}:{key}"
    if len(scoped_key) <= MAX_KEY_LENGTH:
        return scoped_key
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return f"{source.pk.hex}:{key.partition(':')[0]}:sha256:{hashed}"


@cache
def _insert_statement(has_key: bool, has_task: bool) -> str:
    claim = _insert_sql(DeliveryKey, "source_now", " on conflict (key) do nothing returning key")
    parts = {
        "source_now": (
            f"select from source where id = %s and ({ROW_VERSION_SQL} = %s or %s::text is null)"
        ),
        "cause": claim if has_key else "select from source_now",
        "bytes": _insert_sql(Delivery, "cause"),
        "told": _insert_sql(Event, "cause"),
    } | ({"nudge": enqueue_sql.ENQUEUE_ONCE} if has_task else {})
    results = ["exists(select from source_now)", "exists(select from cause)"]
    results += [enqueue_sql.NOTIFY_WORKERS] if has_task else []
    clauses = ", ".join(f"{name} as ({text})" for name, text in parts.items())
    return f"with {clauses} select {', '.join(results)}"


def _insert_sql(table: type[Model], cause: str, ending: str = "") -> str:
    """Return SQL that inserts one row into the table if `cause` has a row."""
    name, columns, places = table._meta.db_table, column_list(table), placeholder_list(table)
    return f'insert into "{name}" ({columns}) select {places} from {cause}{ending}'  # noqa: S608

"""Store a delivery: its key, bytes, ledger event and task, all in one statement or not at all.

A post waits for the result, so it costs one database round trip, which commits by itself.
A request is stored without credentials, masked, and with the sender's proof.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from django.db.models import Model
from django.tasks import Task

from rooftree.capture.intake.source_admission import ROW_VERSION_SQL, SourceChanged, row_version
from rooftree.capture.parsing.envelope import Adapter, IncomingDelivery
from rooftree.core.masking import mask_numbers
from rooftree.db.bulk_insert import column_list, placeholder_list, row_values
from rooftree.db.statements import query_row
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.ledger.models import Event
from rooftree.tasks import enqueue_sql

MAX_KEY_LENGTH = 300
PROOF_DESCRIPTIONS = {
    "header": "secret in a header",
    "basic": "user name and password",
    "hmac": "signature of the body",
}
SIGNED_POST = "signature"  # a website post that the company's own server signed
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})


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


def storable_path(path: str, source: Source) -> str:
    """Return the path without credentials, cut to the column's length."""
    return _drop_unstorable(_without_token(path, source))[:300]


def storable_pairs(pairs: Mapping[str, str], source: Source) -> dict[str, str]:
    """Return headers or a query without credentials, with sensitive numbers masked."""
    stored = {}
    for raw_name, raw_value in pairs.items():
        if raw_name.lower() in PRIVATE_HEADERS:
            continue
        name, value = _drop_unstorable(raw_name), _drop_unstorable(raw_value)
        # The name in front tells the masking which kind of number the value is.
        labeled = mask_numbers(f"{name}={value}".encode()).body.decode(errors="replace")
        stored[name[:200]] = _without_token(labeled[len(name) + 1 :], source)[:500]
    return stored


def storable_body(incoming: IncomingDelivery, source: Source) -> bytes:
    """Return the masked body without the source's secret.

    Some vendors prove their identity with a secret in the body; it is checked, not stored.
    """
    body = incoming.masked.body
    return body.replace(source.secret.encode(), b"<secret>") if source.secret else body


def describe_verification(incoming: IncomingDelivery, source: Source, adapter: Adapter) -> str:
    """Return how the sender proved its identity, in words for staff."""
    if incoming.is_verified:
        return "the vendor's own list"
    if source.secret and hasattr(adapter, "CREDENTIALS"):
        return "signature or key"
    if incoming.header("x-rooftree-signature"):
        return SIGNED_POST
    default_proof = getattr(adapter, "PROOF", "")
    if proof := PROOF_DESCRIPTIONS.get(source.setup.get("proof") or default_proof):
        return proof
    return "path token" if source.token else "allowed origin"


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


def _without_token(text: str, source: Source) -> str:
    for secret, name in ((source.token, "<token>"), (source.secret, "<secret>")):
        text = text.replace(secret, name) if secret else text
    return text


def _drop_unstorable(text: str) -> str:
    """Remove characters PostgreSQL cannot store, so that no authentic delivery fails on them."""
    return text.replace("\0", "").encode(errors="replace").decode()

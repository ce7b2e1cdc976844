"""Writing to the ledger: one line beside every change, in the same transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.postgresql.psycopg_any import Jsonb

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.models import Event

# A dozen events are written for every lead; by hand each takes a third of the ORM's time.
WRITE = """
insert into event (id, kind, lead_id, person_id, actor, data, occurred_at, chain_hash)
values (%s, %s, %s, %s, %s, %s, %s, '')
"""


def write(kind: str, *, at: datetime, actor: str = "system", **named: Any) -> Event:
    """Record that something happened, so that it stands or falls with the change itself.

    Takes what `event` takes.
    """
    made = event(kind, at=at, actor=actor, **named)
    row = (made.id, kind, made.lead_id, made.person_id, actor, Jsonb(made.data), at)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, row)
    return made


def event(
    kind: str,
    *,
    at: datetime,
    actor: str = "system",
    lead_id: UUID | str | None = None,
    person_id: UUID | str | None = None,
    **data: Any,
) -> Event:
    """What `write` records, not written yet: for a statement that writes it with its cause.

    Args:
        kind: `room.noun.verb`, past tense: `outreach.message.sent`.
        at: when it happened, aware; history loaded later keeps its own moment.
        actor: `system:<what>`, `user:<id>` or `vendor:<key>`.
        data: ids, codes and salted hashes. Never a name, number, address or text.
    """
    return Event(
        id=uuid7_at(at),
        kind=kind,
        lead_id=lead_id,
        person_id=person_id,
        actor=actor,
        data={key: _plain(value) for key, value in data.items() if value is not None},
        occurred_at=at,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | datetime):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value

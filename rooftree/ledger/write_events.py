"""Writes ledger events in the same transaction as the change they record."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.statements import execute
from rooftree.ledger.models import Event

# Every lead writes a dozen events, so those of one step go in one plain SQL statement.
INSERT_SQL = """
insert into event (id, kind, lead_id, person_id, actor, data, occurred_at, chain_hash)
select id, kind, lead_id, person_id, actor, data, occurred_at, ''
  from json_to_recordset(%s::json)
    as new_event (id uuid, kind text, lead_id uuid, person_id uuid, actor text, data jsonb,
             occurred_at timestamptz)
"""


EVENT_COLUMNS = ("id", "kind", "lead_id", "person_id", "actor", "data", "occurred_at")


def write_event(
    kind: str,
    *,
    at: datetime,
    actor: str = "system",
    lead_id: UUID | str | None = None,
    person_id: UUID | str | None = None,
    **data: Any,
) -> Event:
    """Write one event, which commits or rolls back with the change it records.

    Args:
        kind: `room.noun.verb`, past tense: `outreach.message.sent`.
        at: when it happened, aware; history loaded later keeps its original time.
        actor: `system:<what>`, `user:<id>` or `vendor:<key>`.
        data: ids, codes and salted hashes. Never a name, number, address or text.
    """
    event = build_event(kind, at=at, actor=actor, lead_id=lead_id, person_id=person_id, **data)
    write_events([event])
    return event


def build_event(
    kind: str,
    *,
    at: datetime,
    actor: str = "system",
    lead_id: UUID | str | None = None,
    person_id: UUID | str | None = None,
    **data: Any,
) -> Event:
    """Build an event like `write_event`, to be written with others by `write_events`."""
    return Event(
        id=uuid7_at(at),
        kind=kind,
        lead_id=lead_id,
        person_id=person_id,
        actor=actor,
        data={key: _to_json_value(value) for key, value in data.items() if value is not None},
        occurred_at=at,
    )


def write_events(events: Iterable[Event]) -> None:
    """Write events from `build_event`, in one statement."""
    rows = [{name: getattr(event, name) for name in EVENT_COLUMNS} for event in events]
    if rows:
        execute(INSERT_SQL, [json.dumps(rows, default=str)])


def _to_json_value(value: Any) -> Any:
    if isinstance(value, UUID | datetime):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_json_value(item) for item in value]
    return value

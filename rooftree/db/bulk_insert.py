"""Inserting rows on the path of a lead, where the ORM's building of statements costs the most.

The columns and their values are the model's own; the text of the statement is made once a
table, and any number of rows go in it: they travel as one JSON document.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    Model,
    TextField,
    UUIDField,
)
from django.db.models.expressions import DatabaseDefault

UNCONVERTED_FIELDS: set[type[Any]] = {CharField, TextField, UUIDField, DateTimeField, BooleanField}
UNCONVERTED_TYPES = (str, UUID, datetime, bool, type(None))
INSERT_RECORDS = """
insert into "{table}" ({columns})
select {columns} from json_populate_recordset(null::"{table}", %s::json){ending}
"""
MULTI_INSERT = "with {parts} select"


def insert_row[M: Model](row: M) -> M:
    """Insert a new row, all of whose values are known; as `objects.create` does, it gives it back.

    What it leaves open takes its default in the database.
    """
    insert_rows([row])
    return row


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert new rows of one table in one statement."""
    if rows:
        _insert_json(rows, "")


def insert_into_tables(*tables: Sequence[Model]) -> None:
    """Insert new rows of several tables in one statement, a sequence a table.

    They may refer to each other, as that is looked at with the commit; but no trigger of
    one may look for another.
    """
    given = [rows for rows in tables if rows]
    if not given:
        return
    parts = tuple((type(rows[0]), _provided_fields(rows[0])) for rows in given)
    with connection.cursor() as cursor:
        cursor.execute(_multi_table_statement(parts), [_json_records(rows) for rows in given])
    for rows in given:
        _mark_saved(rows)


def insert_row_if_new(row: Model) -> bool:
    """Insert a row unless a unique constraint holds its like; whether it was inserted.

    Waits for another transaction that is inserting the like of it. One statement,
    where `get_or_create` looks first and then tries inside a savepoint.
    """
    return bool(insert_new_rows([row]))


def insert_new_rows(rows: Sequence[Model]) -> set[UUID]:
    """Insert those rows of one table whose like no unique constraint holds; their keys."""
    if not rows:
        return set()
    key = rows[0]._meta.pk
    return set(_insert_json(rows, f' on conflict do nothing returning "{key.column}"'))


def row_values(row: Model) -> list[Any]:
    """What stands in the places of a new row, for a statement that writes more than it."""
    found = []
    for field, is_plain in _column_conversions(type(row)):
        value = getattr(row, field.attname)
        taken = is_plain and type(value) in UNCONVERTED_TYPES
        found.append(value if taken else field.get_db_prep_save(value, connection))
    return found


@cache
def _column_conversions(table: type[Model]) -> "tuple[tuple[Field[Any, Any], bool], ...]":
    """The columns, and whether Django would change nothing of a value of the right kind."""
    kinds = ((one, type(getattr(one, "target_field", one))) for one in _split_fields(table)[0])
    return tuple((one, kind in UNCONVERTED_FIELDS) for one, kind in kinds)


@cache
def column_list(table: type[Model]) -> str:
    """The columns of a new row, for such a statement."""
    return ", ".join(f'"{field.column}"' for field in _split_fields(table)[0])


@cache
def placeholder_list(table: type[Model]) -> str:
    """The places of its values, in the same order."""
    return ", ".join("%s" for _ in _split_fields(table)[0])


def rows_to_json(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Rows as PostgreSQL reads them from one document: columns by name."""
    return json.dumps(rows, default=_json_default, ensure_ascii=False, separators=(",", ":"))


def json_value(field: "Field[Any, Any]", value: Any) -> Any:
    """A column's value as it stands in such a document."""
    if type(field).__module__.startswith("django."):
        return value
    return field.get_db_prep_save(value, connection)  # one of ours, such as sealed text


def _insert_json(rows: Sequence[Model], ending: str) -> list[Any]:
    statement = _insert_statement(type(rows[0]), _provided_fields(rows[0]), ending)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_json_records(rows)])
        written = [key for (key,) in cursor.fetchall()] if ending else []
    _mark_saved(rows)
    return written


def _json_records(rows: Sequence[Model]) -> str:
    fields = _provided_fields(rows[0])
    return rows_to_json(
        [
            {field.column: json_value(field, getattr(row, field.attname)) for field in fields}
            for row in rows
        ]
    )


def _mark_saved(rows: Sequence[Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _provided_fields(row: Model) -> "tuple[Field[Any, Any], ...]":
    """The columns that the row says a value for; all rows of a statement say the same."""
    fields, doubtful = _split_fields(type(row))
    said = [one for one in doubtful if not isinstance(getattr(row, one.attname), DatabaseDefault)]
    return (*fields, *said)


def _json_default(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    return str(value)


@cache
def _split_fields(table: type[Model]) -> "tuple[tuple[Field[Any, Any], ...], ...]":
    """The columns: those always given, and those that the database has a default for."""
    every = table._meta.concrete_fields
    return (
        tuple(concrete_field for concrete_field in every if not concrete_field.has_db_default()),
        tuple(concrete_field for concrete_field in every if concrete_field.has_db_default()),
    )


@cache
def _insert_statement(
    table: type[Model], fields: "tuple[Field[Any, Any], ...]", ending: str
) -> str:
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return INSERT_RECORDS.format(table=table._meta.db_table, columns=columns, ending=ending)


@cache
def _multi_table_statement(
    parts: "tuple[tuple[type[Model], tuple[Field[Any, Any], ...]], ...]",
) -> str:
    texts = [
        f"part{nth} as ({_insert_statement(table, fields, '')})"
        for nth, (table, fields) in enumerate(parts)
    ]
    return MULTI_INSERT.format(parts=", ".join(texts))

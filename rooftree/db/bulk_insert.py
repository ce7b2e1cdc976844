"""Insert rows on a lead's critical path without the cost of the ORM's SQL generation.

The columns and their values are the model's own. The statement is built once for each table and
takes any number of rows, which travel as one JSON document.
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
    """Insert a new row and return it, as `objects.create` does.

    Columns without a value get their default in the database.
    """
    insert_rows([row])
    return row


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert new rows of one table in one statement."""
    if rows:
        _insert_json(rows, "")


def insert_into_tables(*tables: Sequence[Model]) -> None:
    """Insert new rows of several tables in one statement; each argument has the rows of one table.

    The rows can refer to each other, since foreign keys are checked at commit, but a trigger of
    one table must not look for rows of another.
    """
    filled = [rows for rows in tables if rows]
    if not filled:
        return
    parts = tuple((type(rows[0]), _provided_fields(rows[0])) for rows in filled)
    with connection.cursor() as cursor:
        cursor.execute(_multi_table_statement(parts), [_json_records(rows) for rows in filled])
    for rows in filled:
        _mark_saved(rows)


def insert_row_if_new(row: Model) -> bool:
    """Insert a row unless a unique constraint is violated; return True if it was inserted.

    Waits for another transaction that is inserting a duplicate. Takes one statement, where
    `get_or_create` selects first and then inserts in a savepoint.
    """
    return bool(insert_new_rows([row]))


def insert_new_rows(rows: Sequence[Model]) -> set[UUID]:
    """Insert rows, skipping those that violate a unique constraint; return the inserted keys."""
    if not rows:
        return set()
    key = rows[0]._meta.pk
    return set(_insert_json(rows, f' on conflict do nothing returning "{key.column}"'))


def row_values(row: Model) -> list[Any]:
    """Return the parameters of a new row, for a statement that also does something else.

    They are in the order of `column_list` and `placeholder_list`.
    """
    values = []
    for field, is_unconverted in _column_conversions(type(row)):
        value = getattr(row, field.attname)
        is_ready = is_unconverted and type(value) in UNCONVERTED_TYPES
        values.append(value if is_ready else field.get_db_prep_save(value, connection))
    return values


@cache
def _column_conversions(table: type[Model]) -> "tuple[tuple[Field[Any, Any], bool], ...]":
    """Return the columns, and for each whether Django leaves a value of the right type as it is."""
    fields = _split_fields(table)[0]
    kinds = [type(getattr(field, "target_field", field)) for field in fields]
    return tuple(
        (field, kind in UNCONVERTED_FIELDS) for field, kind in zip(fields, kinds, strict=True)
    )


@cache
def column_list(table: type[Model]) -> str:
    """Return the quoted column names of a new row, separated by commas."""
    return ", ".join(f'"{field.column}"' for field in _split_fields(table)[0])


@cache
def placeholder_list(table: type[Model]) -> str:
    """Return a placeholder for each column of `column_list`, separated by commas."""
    return ", ".join("%s" for _ in _split_fields(table)[0])


def rows_to_json(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Return rows as the JSON that `json_populate_recordset` reads: columns by name."""
    return json.dumps(rows, default=_json_default, ensure_ascii=False, separators=(",", ":"))


def json_value(field: "Field[Any, Any]", value: Any) -> Any:
    """Return a column's value as `rows_to_json` takes it."""
    if type(field).__module__.startswith("django."):
        return value
    return field.get_db_prep_save(value, connection)  # our own fields, such as sealed text


def _insert_json(rows: Sequence[Model], ending: str) -> list[Any]:
    statement = _insert_statement(type(rows[0]), _provided_fields(rows[0]), ending)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_json_records(rows)])
        keys = [key for (key,) in cursor.fetchall()] if ending else []
    _mark_saved(rows)
    return keys


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
    """Return the columns that the row has a value for; the same for all rows of a statement."""
    fields, optional_fields = _split_fields(type(row))
    set_fields = [
        field
        for field in optional_fields
        if not isinstance(getattr(row, field.attname), DatabaseDefault)
    ]
    return (*fields, *set_fields)


def _json_default(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    return str(value)


@cache
def _split_fields(table: type[Model]) -> "tuple[tuple[Field[Any, Any], ...], ...]":
    """Return the columns without a database default, and those with one."""
    fields = table._meta.concrete_fields
    return (
        tuple(field for field in fields if not field.has_db_default()),
        tuple(field for field in fields if field.has_db_default()),
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

"""Compare-and-set updates on a lead's critical path, with statements that are built once."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model

from rooftree.db.bulk_insert import json_value, rows_to_json

# Rows are locked in the order of their keys, so that two such statements never deadlock. The number
# of rows is hidden from the planner, as in `prepared_queries`.
UPDATE_EACH = """
update "{table}" set {columns}
  from json_populate_recordset(null::"{table}", %s::json) as change
  join (select "id" from "{table}" where "id" = any((select %s::uuid[])::uuid[]){conditions}
         order by "id" for no key update) locked on locked."id" = change."id"
 where "{table}"."id" = locked."id"
returning "{table}"."id"
"""


def update_where(table: type[Model], *, where: Mapping[str, Any], to: Mapping[str, Any]) -> int:
    """Update the rows that still meet `where`; return how many changed.

    Args:
        where: for each column a value, None, or a list of accepted values.
        to: the new values. Columns are named like the object's attributes (`lead_id`).
    """
    if [] in where.values():
        return 0
    conditions = tuple((name, _condition_sql(value)) for name, value in where.items())
    values = [_db_value(table, name, value) for name, value in to.items()]
    values += [_db_value(table, name, value) for name, value in where.items() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(_update_statement(table, tuple(to), conditions), values)
        return int(cursor.rowcount)


def update_each(
    table: type[Model], to: Sequence[Mapping[str, Any]], *, where: Mapping[str, Any] | None = None
) -> set[Any]:
    """Set different values for each row in one statement; return the keys of the changed rows.

    Args:
        to: for each row its `id` and the new values, with the same columns for all rows, named
            like the object's attributes.
        where: the condition that each row must still meet, as for `update_where`.
    """
    if not to:
        return set()
    columns, where = _fields_by_name(table), where or {}
    records = [
        {columns[name].column: json_value(columns[name], value) for name, value in row.items()}
        for row in to
    ]
    conditions = tuple((name, _condition_sql(value)) for name, value in where.items())
    values: list[Any] = [rows_to_json(records), sorted(row["id"] for row in to)]
    values += [_db_value(table, name, value) for name, value in where.items() if value is not None]
    names = tuple(name for name in to[0] if name != "id")
    with connection.cursor() as cursor:
        cursor.execute(_update_each_statement(table, names, conditions), values)
        return {key for (key,) in cursor.fetchall()}


def _condition_sql(value: Any) -> str:
    if value is None:
        return "is null"
    return "= any((select %s::{kind}[])::{kind}[])" if isinstance(value, list) else "= %s"


def _db_value(table: type[Model], name: str, value: Any) -> Any:
    field = _fields_by_name(table)[name]
    if isinstance(value, list) and field.get_internal_type() != "JSONField":
        return [field.get_db_prep_save(member, connection) for member in value]
    return field.get_db_prep_save(value, connection)


@cache
def _fields_by_name(table: type[Model]) -> dict[str, Any]:
    return {field.attname: field for field in table._meta.concrete_fields}


@cache
def _update_statement(
    table: type[Model], to: tuple[str, ...], where: tuple[tuple[str, str], ...]
) -> str:
    columns = _fields_by_name(table)
    changed = ", ".join(f'"{columns[name].column}" = %s' for name in to)
    conditions = " and ".join(
        _render_condition(columns[name], condition) for name, condition in where
    )
    return f'update "{table._meta.db_table}" set {changed} where {conditions}'  # noqa: S608


@cache
def _update_each_statement(
    table: type[Model], to: tuple[str, ...], where: tuple[tuple[str, str], ...]
) -> str:
    columns = _fields_by_name(table)
    return UPDATE_EACH.format(
        table=table._meta.db_table,
        columns=", ".join(f'"{columns[n].column}" = change."{columns[n].column}"' for n in to),
        conditions="".join(
            f" and {_render_condition(columns[name], condition)}" for name, condition in where
        ),
    )


def _render_condition(field: Any, condition: str) -> str:
    return f'"{field.column}" {condition.format(kind=field.db_type(connection))}'

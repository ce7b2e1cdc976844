"""Changing rows on the path of a lead: compare and set, by a text that is made once."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model

from rooftree.db.bulk_insert import json_value, rows_to_json

# Rows are locked in the order of their keys: no two such statements wait for each other. How many
# there are is hidden from the planner, as in `compiled`.
UPDATE_EACH = """
update "{table}" set {columns}
  from json_populate_recordset(null::"{table}", %s::json) as said
  join (select "id" from "{table}" where "id" = any((select %s::uuid[])::uuid[]){still}
         order by "id" for no key update) held on held."id" = said."id"
 where "{table}"."id" = held."id"
returning "{table}"."id"
"""


def update_where(table: type[Model], *, where: Mapping[str, Any], to: Mapping[str, Any]) -> int:
    """Set columns of the rows that are still so; how many rows that were.

    Args:
        where: one value a column, None, or a list of which any will do.
        to: plain values. Columns are named as the object's attributes are (`lead_id`).
    """
    if [] in where.values():
        return 0
    asked = tuple((name, _condition_sql(value)) for name, value in where.items())
    values = [_db_value(table, name, value) for name, value in to.items()]
    values += [_db_value(table, name, value) for name, value in where.items() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(_update_statement(table, tuple(to), asked), values)
        return int(cursor.rowcount)


def update_each(
    table: type[Model], to: Sequence[Mapping[str, Any]], *, where: Mapping[str, Any] | None = None
) -> set[Any]:
    """Give each of some rows values of its own, in one statement; the keys of those changed.

    Args:
        to: for each row its `id` and the same columns, named as the object's attributes are.
        where: what must still be so of a row, as for `change`.
    """
    if not to:
        return set()
    columns, asked = _fields_by_name(table), where or {}
    records = [{columns[k].column: json_value(columns[k], v) for k, v in one.items()} for one in to]
    still = tuple((name, _condition_sql(value)) for name, value in asked.items())
    values: list[Any] = [rows_to_json(records), sorted(one["id"] for one in to)]
    values += [_db_value(table, name, value) for name, value in asked.items() if value is not None]
    names = tuple(name for name in to[0] if name != "id")
    with connection.cursor() as cursor:
        cursor.execute(_update_each_statement(table, names, still), values)
        return {key for (key,) in cursor.fetchall()}


def _condition_sql(value: Any) -> str:
    if value is None:
        return "is null"
    return "= any((select %s::{kind}[])::{kind}[])" if isinstance(value, list) else "= %s"


def _db_value(table: type[Model], name: str, value: Any) -> Any:
    field = _fields_by_name(table)[name]
    if isinstance(value, list) and field.get_internal_type() != "JSONField":
        return [field.get_db_prep_save(one, connection) for one in value]
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
    still = " and ".join(_render_condition(columns[name], how) for name, how in where)
    return f'update "{table._meta.db_table}" set {changed} where {still}'  # noqa: S608


@cache
def _update_each_statement(
    table: type[Model], to: tuple[str, ...], where: tuple[tuple[str, str], ...]
) -> str:
    columns = _fields_by_name(table)
    return UPDATE_EACH.format(
        table=table._meta.db_table,
        columns=", ".join(f'"{columns[n].column}" = said."{columns[n].column}"' for n in to),
        still="".join(f" and {_render_condition(columns[name], how)}" for name, how in where),
    )


def _render_condition(field: Any, how: str) -> str:
    return f'"{field.column}" {how.format(kind=field.db_type(connection))}'

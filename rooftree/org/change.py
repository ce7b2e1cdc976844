"""Changing rows on the path of a lead: compare and set, by a text that is made once."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model


def change(table: type[Model], *, where: Mapping[str, Any], to: Mapping[str, Any]) -> int:
    """Set columns of the rows that are still so; how many rows that were.

    Args:
        where: one value a column, None, or a list of which any will do.
        to: plain values. Columns are named as the object's attributes are (`lead_id`).
    """
    asked = tuple((name, _kind(value)) for name, value in where.items())
    values = [_ready(table, name, value) for name, value in to.items()]
    values += [_ready(table, name, value) for name, value in where.items() if value is not None]
    with connection.cursor() as cursor:
        cursor.execute(_statement(table, tuple(to), asked), values)
        return int(cursor.rowcount)


def _kind(value: Any) -> str:
    if value is None:
        return "is null"
    return "= any(%s)" if isinstance(value, list) else "= %s"


def _ready(table: type[Model], name: str, value: Any) -> Any:
    field = _columns(table)[name]
    if isinstance(value, list) and field.get_internal_type() != "JSONField":
        return [field.get_db_prep_save(one, connection) for one in value]
    return field.get_db_prep_save(value, connection)


@cache
def _columns(table: type[Model]) -> dict[str, Any]:
    return {field.attname: field for field in table._meta.concrete_fields}


@cache
def _statement(table: type[Model], to: tuple[str, ...], where: tuple[tuple[str, str], ...]) -> str:
    columns = _columns(table)
    changed = ", ".join(f'"{columns[name].column}" = %s' for name in to)
    still = " and ".join(f'"{columns[name].column}" {how}' for name, how in where)
    return f'update "{table._meta.db_table}" set {changed} where {still}'  # noqa: S608

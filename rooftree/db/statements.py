"""Run handwritten SQL on the default connection; no other room opens a cursor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

type Parameters = Sequence[Any] | Mapping[str, Any] | None


def execute(sql: str, params: Parameters = None) -> int:
    """Run a statement and return the number of rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def execute_many(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement once for each row of parameters."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def query_rows(sql: str, params: Parameters = None) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def query_row(sql: str, params: Parameters = None) -> Any:
    """Run a query and return its first row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


def query_dicts(sql: str, params: Parameters = None) -> list[dict[str, Any]]:
    """Run a query and return each row as its values by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def copy_rows(sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """Load rows with a `copy ... from stdin` statement."""
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)

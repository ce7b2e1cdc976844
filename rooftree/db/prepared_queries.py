"""Queries on the path of a lead, whose text Django makes once a process instead of once a lead.

Making the text costs more than asking the database. What is asked, and which columns come,
stays the model's own: the text is Django's, so it cannot fall behind a changed table.

The database, too, plans it once a connection. It would plan anew each time that a list is of
another length, which costs more than the rest, so the length is hidden from it; and what is
always the same stands in the text, as an index of some rows only is used where it does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import FETCH_ONE, Model, QuerySet
from django.db.models.query import get_related_populators
from psycopg.sql import Literal

# A value of each kind that no real row has: the text is made with it, and its places are found.
SAMPLE_VALUES: dict[Any, Callable[[int], Any]] = {
    UUID: lambda n: UUID(int=0x5A << 96 | n),
    datetime: lambda n: datetime(1601, 1, 1 + n, tzinfo=UTC),
    str: lambda n: f"\x1a{n}",
    list[UUID]: lambda n: [UUID(int=0x5B << 96 | n)],
    list[str]: lambda n: [f"\x1b{n}"],
}
LIST_TYPES: dict[Any, str] = {list[UUID]: "uuid[]", list[str]: "text[]"}
ANY_ARRAY = "= ANY((SELECT {place}::{kind})::{kind}"  # within the brackets of Django's `IN`


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompiledQuery:
    """A compiled query: its words, where the values go, and how a row becomes an object."""

    sql: str
    places: tuple[str, ...]  # the names of the values
    columns: slice
    names: tuple[str, ...]
    converters: Sequence[tuple[int, Sequence[Any], Any]]
    related: Sequence[Any]
    added: Sequence[tuple[str, int]]


class PreparedQuery[M: Model]:
    """One query with places for values.

    Args:
        build: makes the query from the values, named as in `kinds`. It is called once.
        kinds: what each value is: `UUID`, `datetime`, `str`, or a list of keys or words, for
            `in`, which may be of any length.
    """

    def __init__(self, build: "Callable[..., QuerySet[M]]", **kinds: Any) -> None:
        self._build, self._kinds = build, kinds
        self._table: Any = None  # known when the text is made
        self._text: _CompiledQuery | None = None

    def all(self, **values: Any) -> list[M]:
        """The rows, as objects of the table, in the query's order."""
        text = self._text or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(text.sql, [values[name] for name in text.places])
            rows = cursor.fetchall()
        return [self._build_object(text, row) for row in rows]

    def first(self, **values: Any) -> M | None:
        """The first row, or None."""
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> M:
        """The only row. Raises the table's `DoesNotExist`."""
        found = self.first(**values)
        if found is None:
            raise self._table.DoesNotExist(f"There is no {self._table._meta.db_table} like that.")
        return found

    def _build_object(self, text: _CompiledQuery, row: Sequence[Any]) -> M:
        if text.converters:
            row = [*row]
            for nth, converters, expression in text.converters:
                for convert in converters:
                    row[nth] = convert(row[nth], expression, connection)
        found: M = self._table.from_db(connection.alias, text.names, row[text.columns])
        for populator in text.related:
            populator.populate(row, found)
        for name, nth in text.added:
            setattr(found, name, row[nth])
        return found

    def _compile(self) -> _CompiledQuery:
        query = self._build(**_sample_arguments(self._kinds))
        compiler = query.query.get_compiler(connection=connection)
        sql, places = _render_sql(compiler, self._kinds)
        select, about = compiler.select, compiler.klass_info
        mine = about["select_fields"]
        columns = slice(mine[0], mine[-1] + 1)
        self._table = query.model
        self._text = _CompiledQuery(
            sql=sql,
            places=places,
            columns=columns,
            names=tuple(field[0].target.attname for field in select[columns]),
            converters=[
                (nth, converters, expression)
                for nth, (converters, expression) in compiler.get_converters(
                    [one[0] for one in select]
                ).items()
            ],
            related=get_related_populators(about, select, connection.alias, FETCH_ONE),
            added=tuple((compiler.annotation_col_map or {}).items()),
        )
        return self._text


class PreparedCount:
    """How many rows a query finds, by a text that is made once; built as `Reads` is."""

    def __init__(self, build: "Callable[..., QuerySet[Any]]", **kinds: Any) -> None:
        self._build, self._kinds = build, kinds
        self._text: tuple[str, tuple[str, ...]] | None = None

    def count(self, **values: Any) -> int:
        """How many there are now."""
        sql, places = self._text or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[name] for name in places])
            (number,) = cursor.fetchone()
        return int(number)

    def _compile(self) -> tuple[str, tuple[str, ...]]:
        query = self._build(**_sample_arguments(self._kinds)).order_by().query
        query.select_related = False  # as Django's own count does
        sql, places = _render_sql(query.get_compiler(connection=connection), self._kinds)
        self._text = f"select count(*) from ({sql}) as found", places  # noqa: S608
        return self._text


def _sample_arguments(kinds: dict[str, Any]) -> dict[str, Any]:
    return {name: SAMPLE_VALUES[kind](nth) for nth, (name, kind) in enumerate(kinds.items())}


def _render_sql(compiler: Any, kinds: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text and the names of its values, in order: what is always the same stands in it.

    A list is one value, where Django has a place for each member. Raises `ValueError` for a
    value that Django has woven in.
    """
    sql, params = compiler.as_sql()
    names = [_parameter_name(param, _sample_arguments(kinds)) for param in params]
    if lost := kinds.keys() - set(names):
        raise ValueError(f"{', '.join(sorted(lost))} has no place of its own in {sql}")
    first, *parts = sql.split("%s")
    made = [first]
    for name, param, part in zip(names, params, parts, strict=True):
        kind = LIST_TYPES.get(kinds[name]) if name else None
        if kind:
            made[-1] = made[-1].removesuffix("IN (") + ANY_ARRAY.format(place="%s", kind=kind)
        else:
            made.append("%s" if name else _sql_literal(param))
        made.append(part)
    return "".join(made), tuple(name for name in names if name)


def _parameter_name(param: Any, samples: dict[str, Any]) -> str:
    """Of the value that stands in a place; "" for what always does."""
    return next(
        (name for name, sample in samples.items() if param in (sample, *_list_members(sample))), ""
    )


def _sql_literal(always: Any) -> str:
    return Literal(always).as_string(connection.connection).replace("%", "%%")


def _list_members(sample: Any) -> list[Any]:
    return sample if isinstance(sample, list) else []

"""Queries on a lead's critical path whose SQL is compiled once for each process.

Compiling the SQL costs more than running it. The SQL comes from Django, so it always fits the
current table.

The database plans each query once for each connection. It would plan again for every list of a
new length, which costs more than the rest, so lists are passed as one array; and constants stay
in the SQL, because a partial index is used only when its condition is there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import FETCH_ONE, Model, QuerySet
from django.db.models.query import get_related_populators
from psycopg.sql import Literal

# Values that no real row has: the query is compiled with them, to find its placeholders.
SAMPLE_VALUES: dict[Any, Callable[[int], Any]] = {
    UUID: lambda n: UUID(int=0x5A << 96 | n),
    datetime: lambda n: datetime(1601, 1, 1 + n, tzinfo=UTC),
    str: lambda n: f"\x1a{n}",
    list[UUID]: lambda n: [UUID(int=0x5B << 96 | n)],
    list[str]: lambda n: [f"\x1b{n}"],
}
LIST_TYPES: dict[Any, str] = {list[UUID]: "uuid[]", list[str]: "text[]"}
ANY_ARRAY = "= ANY((SELECT {place}::{kind})::{kind}"  # inside the parentheses of Django's `IN`


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompiledQuery:
    """A compiled query: its SQL, its parameters, and how a row becomes an object."""

    sql: str
    parameters: tuple[str, ...]  # names, in order
    columns: slice
    names: frozenset[str]
    converters: Sequence[tuple[int, Sequence[Any], Any]]
    related: Sequence[Any]
    annotations: Sequence[tuple[str, int]]


class PreparedQuery[M: Model]:
    """One query with parameters.

    Args:
        build: returns the queryset for values named as in `kinds`. It is called once.
        kinds: the type of each value: `UUID`, `datetime`, `str`, or, for `in`, a list of UUIDs
            or strings of any length.
    """

    def __init__(self, build: "Callable[..., QuerySet[M]]", **kinds: Any) -> None:
        self._build, self._kinds = build, kinds
        self._table: Any = None  # set when the query is compiled
        self._compiled: _CompiledQuery | None = None

    def all(self, **values: Any) -> list[M]:
        """Return the rows as model instances, in the query's order."""
        compiled = self._compiled or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, [values[name] for name in compiled.parameters])
            rows = cursor.fetchall()
        return [self._build_object(compiled, row) for row in rows]

    def first(self, **values: Any) -> M | None:
        """Return the first row, or None."""
        return next(iter(self.all(**values)), None)

    def get(self, **values: Any) -> M:
        """Return the first row. Raises the model's `DoesNotExist` when there is none."""
        row = self.first(**values)
        if row is None:
            raise self._table.DoesNotExist(f"There is no matching {self._table._meta.db_table}.")
        return row

    def _build_object(self, compiled: _CompiledQuery, row: Sequence[Any]) -> M:
        if compiled.converters:
            row = [*row]
            for nth, converters, expression in compiled.converters:
                for convert in converters:
                    row[nth] = convert(row[nth], expression, connection)
        instance: M = self._table.from_db(connection.alias, compiled.names, row[compiled.columns])
        for populator in compiled.related:
            populator.populate(row, instance)
        for name, nth in compiled.annotations:
            setattr(instance, name, row[nth])
        return instance

    def _compile(self) -> _CompiledQuery:
        query = self._build(**_sample_arguments(self._kinds))
        compiler = query.query.get_compiler(connection=connection)
        sql, parameters = _render_sql(compiler, self._kinds)
        select, model_info = compiler.select, compiler.klass_info
        field_places = model_info["select_fields"]
        columns = slice(field_places[0], field_places[-1] + 1)
        self._table = query.model
        self._compiled = _CompiledQuery(
            sql=sql,
            parameters=parameters,
            columns=columns,
            names=frozenset(field[0].target.attname for field in select[columns]),
            converters=[
                (nth, converters, expression)
                for nth, (converters, expression) in compiler.get_converters(
                    [column[0] for column in select]
                ).items()
            ],
            related=get_related_populators(model_info, select, connection.alias, FETCH_ONE),
            annotations=tuple((compiler.annotation_col_map or {}).items()),
        )
        return self._compiled


class PreparedCount:
    """The number of rows of a query that is compiled once; built like `PreparedQuery`."""

    def __init__(self, build: "Callable[..., QuerySet[Any]]", **kinds: Any) -> None:
        self._build, self._kinds = build, kinds
        self._compiled: tuple[str, tuple[str, ...]] | None = None

    def count(self, **values: Any) -> int:
        """Return the current number of rows."""
        sql, parameters = self._compiled or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[name] for name in parameters])
            (number,) = cursor.fetchone()
        return int(number)

    def _compile(self) -> tuple[str, tuple[str, ...]]:
        query = self._build(**_sample_arguments(self._kinds)).order_by().query
        query.select_related = False  # as Django's own count does
        sql, parameters = _render_sql(query.get_compiler(connection=connection), self._kinds)
        self._compiled = f"select count(*) from ({sql}) as matches", parameters  # noqa: S608
        return self._compiled


def prefetch_rows(owners: Iterable[Model], name: str, query: PreparedQuery[Any]) -> None:
    """Load the rows that refer to `owners` like `prefetch_related`, unless they are loaded.

    Args:
        name: the reverse relation, such as `phones` of a person.
        query: the rows of `owners`, a list of ids.
    """
    missing = [owner for owner in owners if name not in _prefetched_rows(owner)]
    if missing:
        rows = query.all(owners=list({owner.pk for owner in missing}))
        set_prefetched_rows(missing, name, rows)


def set_prefetched_rows(owners: Sequence[Model], name: str, rows: Iterable[Model]) -> None:
    """Set the rows of a reverse relation as `prefetch_related` does."""
    foreign_key = owners[0]._meta.get_field(name).field  # type: ignore[union-attr]
    rows_by_owner: dict[Any, list[Model]] = defaultdict(list)
    for row in rows:
        rows_by_owner[getattr(row, foreign_key.attname)].append(row)
    for owner in owners:
        queryset = getattr(owner, name).all()
        queryset._result_cache, queryset._prefetch_done = rows_by_owner[owner.pk], True
        _prefetched_rows(owner)[name] = queryset
        for row in rows_by_owner[owner.pk]:
            foreign_key.set_cached_value(row, owner)


def _prefetched_rows(owner: Model) -> dict[str, Any]:
    rows: dict[str, Any] = owner.__dict__.setdefault("_prefetched_objects_cache", {})
    return rows


def _sample_arguments(kinds: dict[str, Any]) -> dict[str, Any]:
    return {name: SAMPLE_VALUES[kind](nth) for nth, (name, kind) in enumerate(kinds.items())}


def _render_sql(compiler: Any, kinds: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the SQL with its constants inlined, and the names of its parameters in order.

    A list is one parameter, where Django has a placeholder for each member. Raises `ValueError`
    for a value that Django has rendered into the SQL.
    """
    sql, params = compiler.as_sql()
    names = [_parameter_name(param, _sample_arguments(kinds)) for param in params]
    if missing := kinds.keys() - set(names):
        raise ValueError(f"{', '.join(sorted(missing))} has no placeholder in {sql}")
    first, *parts = sql.split("%s")
    rendered = [first]
    for name, param, part in zip(names, params, parts, strict=True):
        kind = LIST_TYPES.get(kinds[name]) if name else None
        if kind:
            rendered[-1] = rendered[-1].removesuffix("IN (") + ANY_ARRAY.format(
                place="%s", kind=kind
            )
        elif name:
            rendered.append("%s")
        else:
            literal = Literal(param).as_string(connection.connection)
            rendered.append(literal.replace("%", "%%"))
        rendered.append(part)
    return "".join(rendered), tuple(name for name in names if name)


def _parameter_name(param: Any, samples: dict[str, Any]) -> str:
    """Return the name of the parameter with this sample value; "" for a constant."""
    for name, sample in samples.items():
        members = sample if isinstance(sample, list) else []
        if param in (sample, *members):
            return name
    return ""

"""Describe the triggers that guard a room's tables, whoever writes to them.

Each room lists its own in `triggers.py`, and a comment in a model's `Meta` names those of its
table. A migration holds a copy of the SQL, as it does of the models; tests/test_triggers.py
compares a migrated database with the declarations. docs/decisions/0028-triggers-in-sql.md says
why django-pgtrigger is not used.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of the database, and the statement that creates or replaces it."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger that runs `function` for each row that a statement writes.

    `events` is the time and the statements, such as "before update or delete". The trigger runs
    only for rows that fulfill `condition`, SQL about `old` and `new`.
    """

    name: str
    table: str
    events: str
    function: Function
    condition: str = ""

    @property
    def sql(self) -> str:
        """Return the statement that creates or replaces the trigger."""
        condition = f" when ({self.condition})" if self.condition else ""
        return (
            f'create or replace trigger {self.name} {self.events} on "{self.table}"'
            f" for each row{condition} execute function {self.function.name}()"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTriggers:
    """The triggers that a room declares, and functions that no trigger calls by itself."""

    triggers: tuple[Trigger, ...]
    functions: tuple[Function, ...] = ()


ROW_IS_APPEND_ONLY = Function(
    name="row_is_append_only",
    sql="""
create or replace function row_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a row cannot be changed or deleted.', tg_table_name;
end $$
""",
)


def append_only_trigger(table: str, function: Function = ROW_IS_APPEND_ONLY) -> Trigger:
    """Declare the trigger that refuses to change or delete rows of a table."""
    return Trigger(
        name=f"{table}_append_only",
        table=table,
        events="before update or delete",
        function=function,
    )

"""Handwritten SQL names tables of its own room and of rooms below it, and runs in one place."""

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parent.parent
ROOMS = ROOT / "rooftree"
STATEMENT = re.compile(
    r"\b(select|from|join|update|insert into|delete from|lock table|where)\b", re.IGNORECASE
)
# A table stands after one of these words; a comma continues a list of tables to lock.
TABLE = re.compile(
    r"\b(?:from|join|update|into|lock table|using|null::)\s*(?:only\s+)?"
    r'"?([a-z_]+(?:,\s*[a-z_]+)*)"?',
    re.IGNORECASE,
)
EXCEPTIONS: dict[tuple[str, str], str] = {}  # (file, table): why


@cache
def levels() -> dict[str, int]:
    """Return each room's level; 0 is the lowest. Rooms on one line cannot see each other."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    lines = contracts["importlinter:contract:rooms"]["layers"].split("\n")
    layers = [re.findall(r"\w+", line) for line in lines if line.strip()]
    return {room: level for level, row in enumerate(reversed(layers)) for room in row}


@cache
def rooms_of_tables() -> dict[str, str]:
    return {
        model._meta.db_table: model.__module__.split(".")[1]
        for model in apps.get_models()
        if model.__module__.startswith("rooftree.")
    }


def sql_strings(source: str) -> Iterator[str]:
    """Yield each string that may hold SQL; the parts of an f-string are joined by a gap."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("body",):
            first = getattr(node, name, None)
            if isinstance(first, list) and first and _is_docstring(node, first[0]):
                first[0].value.value = ""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                part.value if isinstance(part, ast.Constant) else " {} " for part in node.values
            ]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_docstring(owner: ast.AST, statement: ast.AST) -> bool:
    return (
        isinstance(owner, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def tables_named(text: str) -> set[str]:
    if not STATEMENT.search(text):
        return set()
    return {name.strip().lower() for match in TABLE.findall(text) for name in match.split(",")}


def higher_tables(room: str, source: str) -> set[str]:
    """Return the tables of rooms that `room` cannot see and that the SQL of `source` names."""
    level, rooms = levels(), rooms_of_tables()
    named = {table for text in sql_strings(source) for table in tables_named(text)}
    return {
        table
        for table in named & set(rooms)
        if rooms[table] != room and level[rooms[table]] >= level[room]
    }


def room_files() -> list[tuple[str, Path]]:
    return [
        (room, file) for room in sorted(levels()) for file in sorted((ROOMS / room).rglob("*.py"))
    ]


def test_sql_names_only_tables_of_rooms_below():
    found = {
        (file.relative_to(ROOMS).as_posix(), table)
        for room, file in room_files()
        for table in higher_tables(room, file.read_text(encoding="utf-8"))
    }
    assert sorted(found - set(EXCEPTIONS)) == []
    assert sorted(set(EXCEPTIONS) - found) == [], "an exception that is no longer needed"
    assert all(len(reason) > 10 for reason in EXCEPTIONS.values())


@pytest.mark.parametrize(
    "source",
    [
        'QUERY = "select id from message where id = %s"',
        'QUERY = f"update message set state = {state}"',
        'QUERY = """\nselect p.id\n  from person p\n  join "message" m on m.person_id = p.id"""',
        'QUERY = "lock table person, message in share mode"',
        'PART = "exists (select from message m where m.id = r.id)"',
    ],
)
def test_sql_that_names_a_higher_table_is_found(source):
    assert higher_tables("leads", source) == {"message"}
    assert higher_tables("outreach", source) == set()
    assert higher_tables("flow", source) == set()


def test_prose_that_names_a_table_is_not_sql():
    assert higher_tables("leads", '"""Read the message from message."""\nA = "message"') == set()


def opens_cursor(source: str) -> bool:
    """Return whether the source opens a cursor on a connection of Django."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"cursor", "chunked_cursor"}
        and "connection" in ast.unparse(node.value)
        for node in ast.walk(ast.parse(source))
    )


def test_only_the_room_of_the_database_opens_cursors():
    """The others use `db.statements`, or keep their SQL in a module named `sql`."""
    found = {
        file.relative_to(ROOMS).as_posix()
        for room, file in room_files()
        if room != "db" and file.stem != "sql" and opens_cursor(file.read_text(encoding="utf-8"))
    }
    assert found == set()
    assert opens_cursor((ROOMS / "db/statements.py").read_text(encoding="utf-8"))
    assert opens_cursor('with connections["default"].cursor() as cursor: pass')


def test_tables_are_named_after_their_models():
    """Two names say too little in SQL: these tables keep their room's name in front."""
    prefixed = {"Connection": "los_connection", "Entry": "money_entry"}
    expected = {
        model.__name__: prefixed.get(
            model.__name__, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.__name__).lower()
        )
        for model in apps.get_app_config("rooftree").get_models()
    }
    tables = {
        model.__name__: model._meta.db_table
        for model in apps.get_app_config("rooftree").get_models()
    }
    assert tables == expected

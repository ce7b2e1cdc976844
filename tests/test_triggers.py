"""The triggers and functions of a migrated database are those that the rooms declare."""

import re
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.db import connection

from rooftree.db.triggers import Function, RoomTriggers, Trigger

ROOMS = Path(__file__).parent.parent / "rooftree"
DECLARED: dict[str, RoomTriggers] = {
    file.parent.name: import_module(f"rooftree.{file.parent.name}.triggers").TRIGGERS
    for file in sorted(ROOMS.glob("*/triggers.py"))
    if file.parent.name != "db"
}
TRIGGERS: list[Trigger] = [trigger for room in DECLARED.values() for trigger in room.triggers]
FUNCTIONS: list[Function] = [function for room in DECLARED.values() for function in room.functions]
FUNCTIONS += [trigger.function for trigger in TRIGGERS if trigger.function not in FUNCTIONS]
# The queue's own are its release's (oban.schema).
SELECT_TRIGGERS = """
select t.tgname, c.relname, pg_get_triggerdef(t.oid), t.tgenabled::text
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
 where not t.tgisinternal and c.relname not like 'oban%%'
"""
SELECT_FUNCTIONS = """
select proname, pg_get_functiondef(oid) from pg_proc
 where pronamespace = 'public'::regnamespace and proname not like 'oban%%'
"""


def select(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement, [])
        return sorted(cursor.fetchall())


def test_database_has_exactly_the_declared_triggers_and_functions(db):
    triggers = select(SELECT_TRIGGERS)

    assert [row[:2] for row in triggers] == sorted((item.name, item.table) for item in TRIGGERS)
    assert {row[3] for row in triggers} == {"O"}  # none is switched off
    assert [row[0] for row in select(SELECT_FUNCTIONS)] == sorted({item.name for item in FUNCTIONS})


def test_database_has_each_trigger_and_function_as_declared(db):
    """A difference needs a migration with the declared SQL."""
    before = [*select(SELECT_FUNCTIONS), *select(SELECT_TRIGGERS)]
    with connection.cursor() as cursor:
        for item in [*FUNCTIONS, *TRIGGERS]:
            cursor.execute(item.sql)

    assert [*select(SELECT_FUNCTIONS), *select(SELECT_TRIGGERS)] == before


def test_no_setting_switches_a_trigger_off(db):
    """Any session could set it. The time of a change is the only setting that functions read."""
    readers = [name for name, text in select(SELECT_FUNCTIONS) if "current_setting" in text]

    assert readers == ["said_moment"]


def test_models_name_the_triggers_of_their_tables():
    """They stand in `Meta` before the table's name, in the order of the declarations."""
    declared: dict[str, list[str]] = {}
    for trigger in TRIGGERS:
        declared.setdefault(trigger.table, []).append(trigger.name)
    named = {}
    for model in apps.get_app_config("rooftree").get_models():
        source = Path(import_module(model.__module__).__file__).read_text(encoding="utf-8")
        pattern = rf' # triggers?: (.+)\n +db_table = "{model._meta.db_table}"\n'
        if comment := re.search(pattern, source):
            named[model._meta.db_table] = comment.group(1).split(", ")

    assert named == declared

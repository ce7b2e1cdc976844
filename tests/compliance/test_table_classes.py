"""Every table with personal data has a retention class."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from rooftree.retention.record_sets import RECORD_SETS, RECORDS_BY_ROOM, REMOVAL_ORDER
from rooftree.retention.retention_schedule import SCHEDULE
from rooftree.retention.table_classes import CLASS_BY_TABLE, TABLES_ABOUT_NOBODY

OURS = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
PLUMBING = ("auth_", "user_", "django_", "account_", "mfa_", "oban_")  # of libraries
TELLING = (
    *("first_name", "last_name", "e164", "address", "to_address", "from_address"),
    *("person_id", "lead_id", "phone", "email", "body", "remote_addr", "inquiry"),
)
SAID_OTHERWISE = {  # columns that sound like a borrower's and are not
    "company": {"phone"},
    "money_entry": {"lead_id"},  # a sum that must stay; the lead behind it says nothing
}


def test_every_table_about_a_person_has_one_record_class() -> None:
    missing = {
        table
        for table in OURS - set(CLASS_BY_TABLE) - TABLES_ABOUT_NOBODY
        if not table.startswith(PLUMBING)
    }
    assert missing == set(), "give each a class in the retention_records.py of its room"
    assert not set(CLASS_BY_TABLE) & TABLES_ABOUT_NOBODY
    assert set(CLASS_BY_TABLE) | TABLES_ABOUT_NOBODY <= OURS, "a table that is no more"
    assert set(CLASS_BY_TABLE.values()) <= set(SCHEDULE)


@pytest.mark.django_db
def test_table_about_nobody_has_no_personal_column() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' and table_name = any(%s) and column_name = any(%s)",
            [list(TABLES_ABOUT_NOBODY), list(TELLING)],
        )
        columns = {(table, column) for table, column in cursor.fetchall()}
    assert {
        (table, column)
        for table, column in columns
        if column not in SAID_OTHERWISE.get(table, set())
    } == set()


def test_removed_record_sets_are_in_the_retention_schedule() -> None:
    assert {record_set.record_class for record_set in RECORD_SETS} <= set(SCHEDULE)
    assert {record_set.table for record_set in RECORD_SETS} <= set(CLASS_BY_TABLE)


def test_each_room_declares_its_own_tables() -> None:
    """Tables of libraries belong to the room of staff and sign-in."""
    declared = {
        (table, room)
        for room, records in RECORDS_BY_ROOM.items()
        for tables in (*records.tables_by_class.values(), records.tables_about_nobody)
        for table in tables
    }
    rooms = {
        model._meta.db_table: model.__module__.split(".")[1]
        for model in apps.get_models()
        if model.__module__.startswith("rooftree.")
    }
    assert declared == {(table, rooms.get(table, "org")) for table, _ in declared}
    assert len(declared) == len({table for table, _ in declared}), "a table is named twice"


def test_every_declared_record_set_has_its_place_in_the_removal_order() -> None:
    declared = [
        record_set.name
        for records in RECORDS_BY_ROOM.values()
        for record_set in records.record_sets
    ]
    parts = {part.record_set for records in RECORDS_BY_ROOM.values() for part in records.parts}
    assert sorted(declared) == sorted(REMOVAL_ORDER)
    assert REMOVAL_ORDER[-1] == "person"
    assert parts <= set(declared)


def test_room_with_retention_records_is_joined() -> None:
    files = (Path(__file__).parents[2] / "rooftree").glob("*/retention_records.py")
    assert {file.parent.name for file in files} == set(RECORDS_BY_ROOM)

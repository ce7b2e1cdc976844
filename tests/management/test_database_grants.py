"""Statements that the database refuses the running program, whatever its code does."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from rooftree.core import database_roles
from rooftree.core.embedded_database import PROGRAM_ROLE
from rooftree.db.db_role import assume_role
from rooftree.ledger import seal
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import write_event
from rooftree.management import database_grants
from rooftree.outreach.models import Message
from rooftree.retention.record_sets import RECORD_SETS
from rooftree.tasks.dsn import database_dsn
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


def is_refused(statement, *values):
    """Return True if the database denies permission."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError as problem:
        return isinstance(problem.__cause__, InsufficientPrivilege)
    return False


def first_fixed_column(table):
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, table)
        names = [column.name for column in description]
    return next(
        name for name in names if name not in database_grants.UPDATABLE_COLUMNS.get(table, ())
    )


@pytest.mark.parametrize("table", sorted(database_grants.APPEND_ONLY | {"message"}))
def test_append_only_table_cannot_be_updated_deleted_or_truncated(as_the_program, table):
    column = first_fixed_column(table)

    assert is_refused(f"update {table} set {column} = {column}")
    assert is_refused(f"delete from {table}")
    assert is_refused(f"truncate {table}")
    for role in ("door", "sealer"):
        with assume_role(role):
            assert is_refused(f"truncate {table}")
            assert is_refused(f"delete from {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "alter table event disable trigger event_append_only",
        "alter table message disable trigger all",
        "alter table event alter column data drop not null",
        "drop trigger event_append_only on event",
        "create or replace function event_is_append_only() returns trigger language plpgsql "
        "as 'begin return new; end'",
        "create table mine (id int)",
        "create temporary table message (id int)",
        "create function mine() returns int language sql as 'select 1'",
        "drop table event",
        "set session_replication_role = 'replica'",  # which switches triggers off
        "set role rooftree",
        "set session authorization rooftree",
        "alter role rooftree_program superuser",
        "update django_migrations set name = name",
        "copy event to program 'cat'",
    ],
)
def test_program_cannot_change_tables_or_roles(db, program, statement):
    with pytest.raises(InsufficientPrivilege):
        program.execute(statement)


def test_program_cannot_grant_itself_privileges(db, program):
    program.execute(f"grant delete on event to {PROGRAM_ROLE}")  # changes nothing, with a warning
    with pytest.raises(InsufficientPrivilege):
        program.execute("delete from event")


@pytest.fixture
def program():
    """A connection that signed in as the program."""
    with psycopg.connect(make_conninfo(database_dsn(), user=PROGRAM_ROLE)) as connection:
        yield connection


def test_program_deletes_only_from_short_lived_tables(as_the_program):
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace "
            "and relkind in ('r', 'p') and has_table_privilege(oid, 'delete')"
        )
        assert {name for (name,) in cursor.fetchall()} == database_grants.DELETABLE


def test_every_table_in_the_grants_exists(db):
    named = (
        database_grants.APPEND_ONLY
        | database_grants.DELETABLE
        | database_grants.OWNER_ONLY
        | database_grants.KEEPER_TABLES
    )
    with connection.cursor() as cursor:
        assert named <= set(connection.introspection.table_names(cursor))
        for table, columns in database_grants.UPDATABLE_COLUMNS.items():
            description = connection.introspection.get_table_description(cursor, table)
            assert set(columns) <= {column.name for column in description}


def test_missing_or_extra_grant_is_detected(db):
    raw_connection = connection.connection
    assert database_grants.are_grants_current(raw_connection, PROGRAM_ROLE)
    for change, back in (
        ("revoke insert on lead from {}", "grant insert on lead to {}"),
        ("grant delete on event to {}", "revoke delete on event from {}"),
        ("grant update (body) on message to {}", "revoke update (body) on message from {}"),
        ("grant delete on event to {}_door", "revoke delete on event from {}_door"),
    ):
        raw_connection.execute(change.format(PROGRAM_ROLE))
        assert not database_grants.are_grants_current(raw_connection, PROGRAM_ROLE)
        raw_connection.execute(back.format(PROGRAM_ROLE))
    assert database_grants.are_grants_current(raw_connection, PROGRAM_ROLE)


def new_message(lead, **changes):
    values = {
        "lead": lead, "person": lead.person, "medium": "text", "purpose": "marketing",
        "idempotency_key": "touch:1", "to_address": "+18135550142", "body": "Hi",
        "created_at": make.NOON,
    }  # fmt: skip
    return Message(**values | changes)


def test_only_the_door_role_writes_messages(as_the_program):
    lead = make.lead()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        new_message(lead).save(force_insert=True)

    with assume_role("door"):
        new_message(lead).save(force_insert=True)

    for state in ("claimed", "uncertain", "sent", "delivered", "failed"):
        with pytest.raises(DatabaseError, match="Only the door"), transaction.atomic():
            Message.objects.update(state=state)
    for column in ("body", "to_address", "sent_at", "claimed_at", "verdict_id", "carrier_id"):
        assert is_refused(f"update message set {column} = {column}"), column
    assert Message.objects.update(state="cancelled", due_at=None) == 1
    with assume_role("door"):
        assert Message.objects.update(state="claimed") == 1


def test_role_ends_with_its_block_even_after_an_error(as_the_program):
    lead = make.lead()

    with assume_role("door"), assume_role("door", savepoint=False):
        new_message(lead).save(force_insert=True)
    assert is_refused("insert into message select * from message")

    with pytest.raises(ZeroDivisionError), assume_role("door"):
        raise ZeroDivisionError
    assert is_refused("insert into message select * from message")

    with assume_role("keeper"), assume_role("door"):
        pass
    assert is_refused("delete from verdict")
    with assume_role("keeper"):
        with assume_role("door"):
            assert is_refused("delete from verdict")
        assert not is_refused("delete from verdict")


def test_role_has_only_its_own_privileges(as_the_program):
    with assume_role("keeper"):
        assert is_refused("insert into message select * from message")
        assert is_refused("update event set data = '{}'")
        assert is_refused("update event set sequence = 1")
    with assume_role("sealer"):
        assert is_refused("delete from verdict")
        assert is_refused("update event set data = '{}'")


def test_keeper_tables_are_exactly_those_that_retention_deletes_or_changes():
    deleted = {
        words[2] for record_set in RECORD_SETS for statement in record_set.removal_statements
        if (words := statement.split())[:2] == ["delete", "from"]
    }  # fmt: skip
    changed = {
        statement.split()[1]
        for record_set in RECORD_SETS
        for statement in record_set.removal_statements
        if statement.startswith("upd")
    }
    # Row locks need the same privilege as updates.
    locked = {record_set.table for record_set in RECORD_SETS}

    assert deleted <= database_grants.KEEPER_TABLES
    protected = database_grants.APPEND_ONLY | set(database_grants.UPDATABLE_COLUMNS)
    assert deleted | ((changed | locked) & protected) == database_grants.KEEPER_TABLES


def test_only_the_sealer_role_gives_events_their_place(as_the_program):
    write_event("test.thing.happened", at=make.NOON)
    assert is_refused("update event set sequence = 1, chain_hash = repeat('a', 64)")

    sealed = seal.seal_events(at=make.NOON)

    assert sealed is not None
    assert Event.objects.exclude(sequence=None).count() == sealed.sealed_count


def test_single_account_keeps_working_without_roles(db):
    with assume_role("door"), connection.cursor() as cursor:
        cursor.execute("select current_user = session_user")
        assert cursor.fetchone() == (True,)
    with psycopg.connect(database_dsn()) as owner:
        database_grants.apply_grants(database_dsn(), owner.info.user)  # nothing to separate
        role = owner.execute("select to_regrole(%s)", [f"{owner.info.user}_door"]).fetchone()
    assert role == (None,)


def test_text_and_email_are_sent_with_the_programs_account(as_the_program):
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))

    lead = journey.deliver(journey.create_website(), journey.form_post())

    assert {text.state for text in (*journey.sent_texts(lead), *journey.sent_emails(lead))} == {
        "sent"
    }


def test_sql_for_missing_roles_is_complete():
    statements = database_roles.create_roles_sql("leads")

    assert statements == (
        'create role "leads_door"; create role "leads_keeper"; create role "leads_sealer"; '
        'grant "leads_door", "leads_keeper", "leads_sealer" to "leads" '
        "with inherit false, set true;"
    )

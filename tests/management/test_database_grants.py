"""What the database itself refuses the running program, whatever its code says."""

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


def refused(statement, *values):
    """Whether the database says that this account may not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError as problem:
        return isinstance(problem.__cause__, InsufficientPrivilege)
    return False


def column_of(table):
    with connection.cursor() as cursor:
        names = [one.name for one in connection.introspection.get_table_description(cursor, table)]
    return next(
        name for name in names if name not in database_grants.UPDATABLE_COLUMNS.get(table, ())
    )


@pytest.mark.parametrize("table", sorted(database_grants.APPEND_ONLY | {"message"}))
def test_what_is_append_only_is_neither_changed_nor_removed_nor_emptied(as_the_program, table):
    column = column_of(table)

    assert refused(f"update {table} set {column} = {column}")
    assert refused(f"delete from {table}")
    assert refused(f"truncate {table}")
    for one in ("door", "sealer"):
        with assume_role(one):
            assert refused(f"truncate {table}")
            assert refused(f"delete from {table}")


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
        "set session_replication_role = 'replica'",  # under which no trigger is asked
        "set role rooftree",
        "set session authorization rooftree",
        "alter role rooftree_program superuser",
        "update django_migrations set name = name",
        "copy event to program 'cat'",
    ],
)
def test_the_program_makes_changes_and_takes_nothing(db, program, statement):
    with pytest.raises(InsufficientPrivilege):
        program.execute(statement)


def test_the_program_gives_itself_nothing(db, program):
    program.execute(
        f"grant delete on event to {PROGRAM_ROLE}"
    )  # which changes nothing, with a warning
    with pytest.raises(InsufficientPrivilege):
        program.execute("delete from event")


@pytest.fixture
def program():
    """A connection that was never another account's than the program's."""
    with psycopg.connect(make_conninfo(database_dsn(), user=PROGRAM_ROLE)) as made:
        yield made


def test_nothing_but_what_is_of_use_for_a_while_is_deleted(as_the_program):
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace "
            "and relkind in ('r', 'p') and has_table_privilege(oid, 'delete')"
        )
        assert {name for (name,) in cursor.fetchall()} == database_grants.DELETABLE


def test_every_table_that_rights_name_is_there(db):
    named = (
        database_grants.APPEND_ONLY
        | database_grants.DELETABLE
        | database_grants.OWNER_ONLY
        | database_grants.KEEPER_TABLES
    )
    with connection.cursor() as cursor:
        assert named <= set(connection.introspection.table_names(cursor))
        for table, columns in database_grants.UPDATABLE_COLUMNS.items():
            found = connection.introspection.get_table_description(cursor, table)
            assert set(columns) <= {one.name for one in found}


def test_rights_are_seen_to_be_given_and_to_lack_or_exceed_by_one(db):
    held = connection.connection
    assert database_grants.are_grants_current(held, PROGRAM_ROLE)
    for change, back in (
        ("revoke insert on lead from {}", "grant insert on lead to {}"),
        ("grant delete on event to {}", "revoke delete on event from {}"),
        ("grant update (body) on message to {}", "revoke update (body) on message from {}"),
        ("grant delete on event to {}_door", "revoke delete on event from {}_door"),
    ):
        held.execute(change.format(PROGRAM_ROLE))
        assert not database_grants.are_grants_current(held, PROGRAM_ROLE)
        held.execute(back.format(PROGRAM_ROLE))
    assert database_grants.are_grants_current(held, PROGRAM_ROLE)


def a_message(lead, **said):
    given = {
        "lead": lead, "person": lead.person, "medium": "text", "purpose": "marketing",
        "cause": "touch:1", "to_address": "+18135550142", "body": "Hi", "created_at": make.NOON,
    }  # fmt: skip
    return Message(**given | said)


def test_a_message_is_written_by_the_door_alone(as_the_program):
    lead = make.lead()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        a_message(lead).save(force_insert=True)

    with assume_role("door"):
        a_message(lead).save(force_insert=True)

    for state in ("claimed", "uncertain", "sent", "delivered", "failed"):
        with pytest.raises(DatabaseError, match="Only the door"), transaction.atomic():
            Message.objects.update(state=state)
    for column in ("body", "to_address", "sent_at", "claimed_at", "verdict_id", "carrier_id"):
        assert refused(f"update message set {column} = {column}"), column
    assert Message.objects.update(state="cancelled", due_at=None) == 1
    with assume_role("door"):
        assert Message.objects.update(state="claimed") == 1


def test_a_right_ends_with_its_act_also_when_the_act_fails(as_the_program):
    lead = make.lead()

    with assume_role("door"), assume_role("door", savepoint=False):
        a_message(lead).save(force_insert=True)
    assert refused("insert into message select * from message")

    with pytest.raises(ZeroDivisionError), assume_role("door"):
        raise ZeroDivisionError
    assert refused("insert into message select * from message")

    with assume_role("keeper"), assume_role("door"):
        pass
    assert refused("delete from verdict")
    with assume_role("keeper"):
        with assume_role("door"):
            assert refused("delete from verdict")
        assert not refused("delete from verdict")


def test_a_right_that_nobody_gave_is_not_taken(as_the_program):
    with assume_role("keeper"):
        assert refused("insert into message select * from message")
        assert refused("update event set data = '{}'")
        assert refused("update event set sequence = 1")
    with assume_role("sealer"):
        assert refused("delete from verdict")
        assert refused("update event set data = '{}'")


def test_what_is_kept_no_longer_goes_with_the_keepers_right_and_what_it_may_is_all_it_does():
    deleted = {
        words[2] for record_set in RECORD_SETS for goes in record_set.removal_statements
        if (words := goes.split())[:2] == ["delete", "from"]
    }  # fmt: skip
    changed = {
        goes.split()[1]
        for record_set in RECORD_SETS
        for goes in record_set.removal_statements
        if goes.startswith("upd")
    }
    locked = {
        record_set.table for record_set in RECORD_SETS
    }  # row by row, for which the database asks the same

    assert deleted <= database_grants.KEEPER_TABLES
    beyond = database_grants.APPEND_ONLY | set(database_grants.UPDATABLE_COLUMNS)
    assert deleted | ((changed | locked) & beyond) == database_grants.KEEPER_TABLES


def test_events_get_their_place_by_the_sealer_alone(as_the_program):
    write_event("test.thing.happened", at=make.NOON)
    assert refused("update event set sequence = 1, chain_hash = repeat('a', 64)")

    sealed = seal.seal_events(at=make.NOON)

    assert sealed is not None
    assert Event.objects.exclude(sequence=None).count() == sealed.sealed_count


def test_one_account_for_everything_goes_on_as_it_was(db):
    with assume_role("door"), connection.cursor() as cursor:
        cursor.execute("select current_user = session_user")
        assert cursor.fetchone() == (True,)
    with psycopg.connect(database_dsn()) as owner:
        database_grants.apply_grants(database_dsn(), owner.info.user)  # nothing to part
        made = owner.execute("select to_regrole(%s)", [f"{owner.info.user}_door"]).fetchone()
    assert made == (None,)


def test_a_text_and_an_email_go_out_and_are_recorded_as_the_program(as_the_program):
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"))

    lead = journey.deliver(journey.website(), journey.form_post())

    assert {text.state for text in (*journey.texts(lead), *journey.emails(lead))} == {"sent"}


def test_an_operators_owner_who_may_not_make_accounts_is_told_what_to_say():
    said = database_roles.create_roles_sql("leads")

    assert said == (
        'create role "leads_door"; create role "leads_keeper"; create role "leads_sealer"; '
        'grant "leads_door", "leads_keeper", "leads_sealer" to "leads" '
        "with inherit false, set true;"
    )

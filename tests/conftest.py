"""What every test stands on: a real PostgreSQL, made from nothing when there is none."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg.conninfo import make_conninfo
from psycopg.errors import DeadlockDetected

from rooftree.core import embedded_database
from rooftree.management import database_grants
from rooftree.tasks.dsn import database_dsn
from tests import database
from tests.cast import Cast, gather

AT_WORK = (
    "select count(*) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'"
)
HOLDS_ROWS = "select '{0}' where exists (select from \"{0}\")"
SAME_FOR_ALL = {"django_content_type", "auth_permission"}  # made with the tables
FLUSHES = 5  # tries to empty the tables while others still ask
SOCKETS = "database_sockets"  # what the controller of parallel workers tells each of them
MARKS = {  # folders whose tests can run apart, by `make test-<mark>` or `pytest -m <mark>`
    "tests/web": "pages",
    "tests/web/browser": "browser",
    "tests/chaos": "chaos",
    "tests/bench": "bench",
}
# Parallel workers get these first: their files take minutes, and would be the tail of the run.
LONG = ("tests/chaos", "tests/web/browser", "tests/management", "tests/bench", "tests/demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and put the folders whose files run long first."""
    for item in items:
        path = item.nodeid
        for folder, mark in MARKS.items():
            if path.startswith(f"{folder}/"):
                item.add_marker(mark)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    places = (number for number, one in enumerate(LONG) if item.nodeid.startswith(f"{one}/"))
    return next(places, len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start one database server for all parallel workers; it stops after the last of them."""
    if not settings.DATABASE_IS_EMBEDDED:
        return
    config = node.config
    if not hasattr(config, SOCKETS):
        server = database.start()
        config.add_cleanup(server.stop)
        setattr(config, SOCKETS, str(server.sockets))
    node.workerinput[SOCKETS] = getattr(config, SOCKETS)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest,
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_blocker: Any,
) -> Iterator[None]:
    """Point Django at the embedded server of this run, unless DATABASE_URL names another.

    A parallel worker uses the server that the controller started. The tests' database is a
    copy of a template, so that the migrations run once and not in every worker.
    """
    if not settings.DATABASE_IS_EMBEDDED:
        yield
        return
    known = connections["default"].settings_dict
    server = None
    if shared := getattr(request.config, "workerinput", {}).get(SOCKETS):
        known["HOST"] = shared
    else:
        server = database.start()
        known["HOST"] = str(server.sockets)
    with django_db_blocker.unblock():
        known["TEST"]["TEMPLATE"] = database.ensure_template()
    yield
    connections.close_all()
    if server:
        server.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The running program has its rights in the tests' database too."""
    if settings.DATABASE_IS_EMBEDDED:
        with django_db_blocker.unblock():
            database_grants.apply_grants(database_dsn(), embedded_database.PROGRAM_ROLE)


@pytest.fixture
def as_the_program(request: pytest.FixtureRequest) -> Iterator[None]:
    """The test runs as the running program does: with an account that owns nothing."""
    if not settings.DATABASE_IS_EMBEDDED:
        pytest.skip("There is one account, which owns everything.")
    if not {"transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("db")
        with connection.cursor() as cursor:
            cursor.execute(f"set local session authorization {embedded_database.PROGRAM_ROLE}")
        connection.role_prefix = None
        yield
        connection.role_prefix = None
        return
    request.getfixturevalue("transactional_db")
    known = connection.settings_dict
    connection.close()
    known["USER"] = embedded_database.PROGRAM_ROLE
    yield
    connection.close()
    known["USER"] = embedded_database.OWNER_ROLE  # who empties the tables


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """For tests whose data must be committed: real threads, real processes.

    Django empties its own tables afterwards and knows nothing of the queue's. Emptying
    locks every table at once, so whoever still asks is let finish first.
    """
    yield
    let_others_finish()
    owned("truncate oban_jobs")


def owned(statement: str) -> None:
    """Have the owner of the tables do what the running program may not."""
    user = {"user": embedded_database.OWNER_ROLE} if settings.DATABASE_IS_EMBEDDED else {}
    with psycopg.connect(make_conninfo(database_dsn(), **user), autocommit=True) as owner:
        owner.execute(statement)


def let_others_finish(patience: float = 20.0) -> None:
    """Return when no other connection has worked for a moment, or after `patience` seconds."""
    ends, quiet = time.monotonic() + patience, 0
    while quiet < 3 and time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(AT_WORK)
            quiet = 0 if cursor.fetchone()[0] else quiet + 1
        time.sleep(0.02)


@pytest.fixture(scope="session", autouse=True)
def _emptying_is_quick() -> Iterator[None]:
    """Only tables that hold rows are emptied: the other hundred cost more than most tests do."""
    everything = DatabaseOperations.execute_sql_flush

    def quickly(operations: DatabaseOperations, statements: Sequence[str]) -> None:
        if settings.DATABASE_IS_EMBEDDED:
            _delete_all_rows()
            return None
        for _ in range(FLUSHES):
            try:
                return everything(operations, statements)
            except OperationalError as problem:  # who still asks locks them in another order
                if not isinstance(problem.__cause__, DeadlockDetected):
                    raise
        return everything(operations, statements)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseOperations, "execute_sql_flush", quickly)
        patched.setattr(flush, "emit_post_migrate_signal", lambda *given, **known: None)
        yield


def _delete_all_rows() -> None:
    """Empty every table that Django knows, whatever its triggers and foreign keys forbid."""
    tables = set(connection.introspection.django_table_names(only_existing=True)) - SAME_FOR_ALL
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" union all ".join(HOLDS_ROWS.format(table) for table in sorted(tables)))
        held = [name for (name,) in cursor.fetchall()]
        cursor.execute("set local session_replication_role = replica")
        for name in held:
            cursor.execute(f'delete from "{name}"')


@pytest.fixture(scope="module")
def folders() -> Iterator[Callable[[], Path]]:
    """Makes folders for installations, short and reachable for any account; removed afterwards."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="rooftree-")))
        made[-1].chmod(0o711)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cast(db: None) -> Cast:
    """Dana, Sam, Ruth, Omar, Ben and Mei, in their company (tests/cast.py)."""
    return gather()

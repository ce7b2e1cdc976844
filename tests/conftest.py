"""Fixtures for all tests: a real PostgreSQL, started from scratch when there is none."""

import gc
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
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg.conninfo import make_conninfo
from psycopg.errors import DeadlockDetected

from rooftree.core import embedded_database
from rooftree.management import database_grants
from rooftree.tasks.dsn import database_dsn
from tests import database
from tests.cast import Cast, gather

BUSY_CONNECTIONS = (
    "select count(*) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'"
)
# The suite makes the same values in each run, so that it fails only for a change; `make fuzz` makes
# new ones. A busy computer is slow, not wrong: the first values of a fresh clone take a second.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
hypothesis_settings.register_profile("repeatable", derandomize=True, **PATIENT)
hypothesis_settings.register_profile("fuzz", derandomize=False, max_examples=1000, **PATIENT)
hypothesis_settings.load_profile("repeatable")
EMPTY_TABLES = """
do $$
declare
    name text;
begin
    set local session_replication_role = replica;
    for name in select relname from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace
          and pg_relation_size(oid) > 0
          and relname not in ('django_migrations', 'django_content_type', 'auth_permission')
    loop
        execute format('delete from %I', name);
    end loop;
end $$
"""  # the three tables are filled by migrations
MAX_FLUSHES = 5  # attempts to empty the tables while other connections use them
SOCKETS = "database_sockets"  # the key under which parallel workers get the socket folder
MARKS = {  # folders whose tests can run separately, by `make test-<mark>` or `pytest -m <mark>`
    "tests/web": "pages",
    "tests/web/browser": "browser",
    "tests/chaos": "chaos",
    "tests/bench": "bench",
}
# Parallel workers get these first: their files take minutes and would delay the end of the run.
SLOW_FOLDERS = ("tests/chaos", "tests/web/browser", "tests/management", "tests/bench", "tests/demo")


gc.disable()  # collecting thousands of tests makes no garbage, but looking for it takes seconds


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among the modules and the collected tests."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and put the slow folders first."""
    for item in items:
        path = item.nodeid
        for folder, mark in MARKS.items():
            if path.startswith(f"{folder}/"):
                item.add_marker(mark)
    items.sort(key=_slow_folder_place)


def _slow_folder_place(item: pytest.Item) -> int:
    for place, folder in enumerate(SLOW_FOLDERS):
        if item.nodeid.startswith(f"{folder}/"):
            return place
    return len(SLOW_FOLDERS)


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
    copy of a template, so that migrations run once and not in every worker.
    """
    if not settings.DATABASE_IS_EMBEDDED:
        yield
        return
    config = connections["default"].settings_dict
    server = None
    if shared := getattr(request.config, "workerinput", {}).get(SOCKETS):
        config["HOST"] = shared
    else:
        server = database.start()
        config["HOST"] = str(server.sockets)
    with django_db_blocker.unblock():
        config["TEST"]["TEMPLATE"] = database.ensure_template()
    yield
    connections.close_all()
    if server:
        server.stop()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Grant the program its privileges in the tests' database."""
    if settings.DATABASE_IS_EMBEDDED:
        with django_db_blocker.unblock():
            database_grants.apply_grants(database_dsn(), embedded_database.PROGRAM_ROLE)


@pytest.fixture
def as_the_program(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the test with the program's account, which owns nothing."""
    if not settings.DATABASE_IS_EMBEDDED:
        pytest.skip("This database has one account, which owns everything.")
    if not {"transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("db")
        with connection.cursor() as cursor:
            cursor.execute(f"set local session authorization {embedded_database.PROGRAM_ROLE}")
        connection.role_prefix = None
        yield
        connection.role_prefix = None
        return
    request.getfixturevalue("transactional_db")
    config = connection.settings_dict
    connection.close()
    config["USER"] = embedded_database.PROGRAM_ROLE
    yield
    connection.close()
    config["USER"] = embedded_database.OWNER_ROLE  # only the owner can empty the tables


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Commit the test's data, for tests with real threads or processes.

    All tables are emptied afterwards, but in another's database Django leaves out the queue's.
    Emptying locks all tables at once, so other connections finish first.
    """
    yield
    wait_for_idle_database()
    if not settings.DATABASE_IS_EMBEDDED:
        execute_as_owner("truncate oban_jobs")


def execute_as_owner(statement: str) -> None:
    """Execute a statement as the owner of the tables."""
    user = {"user": embedded_database.OWNER_ROLE} if settings.DATABASE_IS_EMBEDDED else {}
    with psycopg.connect(make_conninfo(database_dsn(), **user), autocommit=True) as owner:
        owner.execute(statement)


def wait_for_idle_database(patience: float = 20.0) -> None:
    """Return when no other connection has worked for a moment, or after `patience` seconds."""
    deadline, idle_rounds = time.monotonic() + patience, 0
    while idle_rounds < 3 and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(BUSY_CONNECTIONS)
            idle_rounds = 0 if cursor.fetchone()[0] else idle_rounds + 1
        time.sleep(0.005)


@pytest.fixture(scope="session", autouse=True)
def _fast_flush() -> Iterator[None]:
    """Empty only tables that ever had rows: the other hundred cost more than most tests do."""
    flush_all = DatabaseOperations.execute_sql_flush

    def flush_fast(operations: DatabaseOperations, statements: Sequence[str]) -> None:
        if settings.DATABASE_IS_EMBEDDED:
            _delete_all_rows()
            return None
        for _ in range(MAX_FLUSHES):
            try:
                return flush_all(operations, statements)
            except OperationalError as problem:  # another connection locks in another order
                if not isinstance(problem.__cause__, DeadlockDetected):
                    raise
        return flush_all(operations, statements)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseOperations, "execute_sql_flush", flush_fast)
        patched.setattr(flush, "emit_post_migrate_signal", lambda *args, **kwargs: None)
        if settings.DATABASE_IS_EMBEDDED:
            patched.setattr(flush, "sql_flush", lambda *args, **kwargs: [])  # lists all tables
        yield


def _delete_all_rows() -> None:
    """Empty all tables, bypassing triggers and foreign keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EMPTY_TABLES)


@pytest.fixture(scope="module")
def folders() -> Iterator[Callable[[], Path]]:
    """Create folders for installations, with short paths open to any account; delete them later."""
    created: list[Path] = []

    def make() -> Path:
        created.append(Path(tempfile.mkdtemp(prefix="rooftree-")))
        created[-1].chmod(0o711)
        return created[-1]

    yield make
    for folder in created:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cast(db: None) -> Cast:
    """Dana, Sam, Ruth, Omar, Ben and Mei, in their company (tests/cast.py)."""
    return gather()

"""What every test stands on: a real PostgreSQL, made from nothing when there is none."""

import getpass
import hashlib
import os
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
from rooftree.core.data_dir import DataDir, DataDirLocked
from rooftree.management import database_grants
from rooftree.tasks.dsn import database_dsn
from tests.cast import Cast, gather

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
AT_WORK = (
    "select count(*) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'"
)
HOLDS_ROWS = "select '{0}' where exists (select from \"{0}\")"
SAME_FOR_ALL = {"django_content_type", "auth_permission"}  # made with the tables
FLUSHES = 5  # tries to empty the tables while others still ask
RUNS_AT_ONCE = 32  # of one checkout; each has a database server of its own


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Start the embedded server for this run, unless DATABASE_URL names another."""
    if not settings.DATABASE_IS_EMBEDDED:
        yield
        return
    home = _free_home()
    server = embedded_database.start_server(home.path, FAST)
    connections["default"].settings_dict["HOST"] = str(server.sockets)
    yield
    connections.close_all()
    server.stop()
    home.release()


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
        connection.account = None
        yield
        connection.account = None
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


def _free_home() -> DataDir:
    """A folder kept between runs, of this checkout and user, that no other run holds."""
    checkout = hashlib.sha256(os.fsencode(Path(__file__).resolve())).hexdigest()[:10]
    root = Path(tempfile.gettempdir()) / f"rooftree-tests-{getpass.getuser()}-{checkout}"
    for number in range(RUNS_AT_ONCE):
        home = DataDir(root / str(number))
        for folder in (root, home.path):
            folder.mkdir(mode=0o711, exist_ok=True)
        try:
            home.acquire()
        except DataDirLocked:
            continue
        return home
    raise RuntimeError(f"{RUNS_AT_ONCE} test runs of this checkout are going on already.")


@pytest.fixture
def cast(db: None) -> Cast:
    """Dana, Sam, Ruth, Omar, Ben and Mei, in their company (tests/cast.py)."""
    return gather()

"""The database for a command: started for as long as the command runs, if it is not running."""

import importlib.util
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from rooftree import settings
from rooftree.core import embedded_database
from rooftree.core.data_dir import DataDir, DataDirLocked
from rooftree.core.database_address import libpq_dsn
from rooftree.management import database_grants, migrate_tables


@contextmanager
def running_database(*, migrated: bool = True) -> Iterator[None]:
    """Make sure that the database runs for the length of a command.

    An embedded database that is not running is started here, migrated unless `migrated` is
    False, and stopped afterwards.
    """
    if not settings.DATABASE_IS_EMBEDDED or embedded_database.is_accepting_connections(
        settings.ROOFTREE_HOME
    ):
        yield
        return
    home = DataDir(settings.ROOFTREE_HOME)
    try:
        home.acquire()
    except DataDirLocked:  # a `rooftree serve` that is starting
        wait_until_available(30)
        yield
        return
    server = embedded_database.start_server(settings.ROOFTREE_HOME)
    try:
        if migrated:
            migrate_if_needed()
        yield
    finally:
        server.stop()
        home.release()


def wait_until_available(seconds: float) -> None:
    """Wait for a database that another process starts. Raises `StartupError` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            psycopg.connect(program_dsn(), connect_timeout=3).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
            continue
        return
    raise embedded_database.StartupError(
        "the database isn't responding; start it with `rooftree serve` or set DATABASE_URL."
    )


def program_dsn() -> str:
    """Return the program's connection string from the settings, without Django."""
    return libpq_dsn(settings.DATABASES["default"])


def owner_dsn() -> str:
    """Return the owner's connection string; the owner creates and changes tables."""
    return libpq_dsn(settings.DATABASE_OWNER | {"NAME": settings.DATABASES["default"]["NAME"]})


def migrate_if_needed() -> bool:
    """Migrate the tables to this release in their own process, and update the grants.

    Returns True if the tables were behind. Raises `StartupError`.
    """
    is_behind = bool(missing_migrations())
    if is_behind:
        _require_owner()
        print("rooftree: bringing the tables to this release…", file=sys.stderr, flush=True)
        if migrate_tables.run_migrations():
            raise embedded_database.StartupError("the tables couldn't be migrated; see above.")
    grant_program_rights()
    return is_behind


def _require_owner() -> None:
    with psycopg.connect(owner_dsn(), connect_timeout=10) as connection:
        rows = connection.execute("select has_schema_privilege('public', 'create')")
        if rows.fetchone() == (True,):
            return
    raise embedded_database.StartupError(
        "the tables are older than this release, and this account can't change them: "
        "run `rooftree upgrade` with DATABASE_OWNER_URL."
    )


def grant_program_rights() -> None:
    """Grant the program exactly what this release needs. Raises `StartupError`."""
    program = settings.DATABASE_PROGRAM
    if settings.DATABASE_OWNER["USER"] == program:  # one account, or only the program's is known
        return
    with psycopg.connect(owner_dsn(), connect_timeout=10) as connection:
        if database_grants.are_grants_current(connection, program):
            return
    database_grants.apply_grants(owner_dsn(), program)


def missing_migrations(address: str = "") -> set[tuple[str, str]]:
    """Return this release's migrations that are missing in our database or the one at `address`.

    Reads the folders without Django, because this delays every start.

    Raises `StartupError` when a newer release has changed the tables.
    """
    released = released_migrations()
    with psycopg.connect(address or owner_dsn(), connect_timeout=10) as connection:
        if not connection.execute("select to_regclass('django_migrations')").fetchone()[0]:  # type: ignore[index]
            return released
        rows = connection.execute("select app, name from django_migrations").fetchall()
    applied = {(str(app), str(name)) for app, name in rows}
    if newer := sorted(name for app, name in applied - released if app == "rooftree"):
        raise embedded_database.StartupError(
            f"a newer release of Rooftree has changed the tables ({newer[-1]}). Install that "
            "release, or restore a backup from before it."
        )
    return released - applied


def released_migrations() -> set[tuple[str, str]]:
    """Return the app and the name of every migration in this release."""
    migrations = set()
    for app in settings.INSTALLED_APPS:
        spec = importlib.util.find_spec(app)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for file in (Path(folder) / "migrations").glob("[0-9]*.py"):
                migrations.add((app.rsplit(".", 1)[-1], file.stem))
    return migrations


def rooftree_command(*words: str) -> Sequence[str]:
    """Return the command line that runs a Rooftree command in a new process."""
    return [sys.executable, "-m", "rooftree", *words]


def child_environment() -> dict[str, str]:
    """Return the environment variables that all child processes must share."""
    return {
        "ROOFTREE_HOME": str(settings.ROOFTREE_HOME),
        "ROOFTREE_ENV": settings.ROOFTREE_ENV,
        "PORT": str(settings.PORT),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "rooftree.settings"),
    }

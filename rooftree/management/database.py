"""The database under a command: started for as long as it takes, when nobody else has."""

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
    """See that the database answers for the length of a command.

    An embedded database that nobody runs is started here, brought up to date
    unless `migrated` is False, and stopped afterwards.
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
    """Wait for a database that another process is starting; `CannotStart` if it never comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            psycopg.connect(program_dsn(), connect_timeout=3).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
            continue
        return
    raise embedded_database.StartupError(
        "the database does not answer; start it with `rooftree serve`, or set DATABASE_URL."
    )


def program_dsn() -> str:
    """The database of the settings, without Django."""
    return libpq_dsn(settings.DATABASES["default"])


def owner_dsn() -> str:
    """The same as its owner, where that is another account; who makes and changes tables."""
    return libpq_dsn(settings.DATABASE_OWNER | {"NAME": settings.DATABASES["default"]["NAME"]})


def migrate_if_needed() -> bool:
    """Bring the tables up to this release, in a process of its own; True when it had to.

    What the program may do with them is brought up to it as well.
    """
    is_behind = bool(missing_migrations())
    if is_behind:
        _require_owner()
        if migrate_tables.run_migrations():
            raise embedded_database.StartupError(
                "the tables could not be brought up to date; see above."
            )
    grant_program_rights()
    return is_behind


def _require_owner() -> None:
    with psycopg.connect(owner_dsn(), connect_timeout=10) as connection:
        asked = connection.execute("select has_schema_privilege('public', 'create')")
        if asked.fetchone() == (True,):
            return
    raise embedded_database.StartupError(
        "the tables are not those of this release, and this account may not change them: "
        "run `rooftree upgrade` with DATABASE_OWNER_URL."
    )


def grant_program_rights() -> None:
    """See that the program may do what this release needs, and no more. Raises `CannotStart`."""
    program = settings.DATABASE_PROGRAM
    if settings.DATABASE_OWNER["USER"] == program:  # one account, or only the program's is known
        return
    with psycopg.connect(owner_dsn(), connect_timeout=10) as connection:
        if database_grants.are_grants_current(connection, program):
            return
    database_grants.apply_grants(owner_dsn(), program)


def missing_migrations(address: str = "") -> set[tuple[str, str]]:
    """The migrations of this release that our database does not have, or the one at `address`.

    Read from the folders, without Django: this stands in the way of every start.

    Raises `CannotStart` when a newer release has changed the tables.
    """
    released = released_migrations()
    with psycopg.connect(address or owner_dsn(), connect_timeout=10) as connection:
        if not connection.execute("select to_regclass('django_migrations')").fetchone()[0]:  # type: ignore[index]
            return released
        found = connection.execute("select app, name from django_migrations").fetchall()
    done = {(str(app), str(name)) for app, name in found}
    if newer := sorted(name for app, name in done - released if app == "rooftree"):
        raise embedded_database.StartupError(
            f"the database was brought up by a newer release of Rooftree ({newer[-1]}), which this "
            "one would not understand; install that release, or restore a backup from before it."
        )
    return released - done


def released_migrations() -> set[tuple[str, str]]:
    """App and name of every migration that this release brings."""
    found = set()
    for app in settings.INSTALLED_APPS:
        spec = importlib.util.find_spec(app)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for file in (Path(folder) / "migrations").glob("[0-9]*.py"):
                found.add((app.rsplit(".", 1)[-1], file.stem))
    return found


def rooftree_command(*words: str) -> Sequence[str]:
    """The command line that runs one of our commands in a new process."""
    return [sys.executable, "-m", "rooftree", *words]


def child_environment() -> dict[str, str]:
    """What child processes must agree on, said explicitly."""
    return {
        "ROOFTREE_HOME": str(settings.ROOFTREE_HOME),
        "ROOFTREE_ENV": settings.ROOFTREE_ENV,
        "PORT": str(settings.PORT),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "rooftree.settings"),
    }

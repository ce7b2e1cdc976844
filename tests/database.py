"""The database server of a test run, and a copy of one migrated template for each process."""

import getpass
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import make_conninfo

from rooftree.core import embedded_database
from rooftree.core.data_dir import DataDir, DataDirLocked
from rooftree.management import database_grants
from rooftree.tasks.dsn import database_dsn

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Every worker has threads that connect. Tables are tiny, so joins run in the order in which they
# are written: looking for a better order takes longer than running most queries.
SHARED = FAST | {"max_connections": "200", "join_collapse_limit": "1"}
LOCK = 7_236_001  # an advisory lock: one process makes the template, the others wait
ROOT = Path(__file__).parents[1]
RUNS_AT_ONCE = 32  # for one checkout; each has its own database server


@dataclass(frozen=True, slots=True)
class RunServer:
    """A running server and its locked folder."""

    server: embedded_database.Server
    home: DataDir

    @property
    def sockets(self) -> Path:
        return self.server.sockets

    def stop(self) -> None:
        """Stop the server and release its folder."""
        self.server.stop()
        self.home.release()


def start() -> RunServer:
    """Start a server without durability; drop databases of earlier runs except the template."""
    home = _free_home()
    server = embedded_database.start_server(home.path, SHARED)
    with _administrator(str(server.sockets)) as connection:
        is_stale = "datname like 'test\\_%%' and datname <> %s"
        rows = connection.execute(
            f"select datname from pg_database where {is_stale}", [_template()]
        )
        for (name,) in rows.fetchall():
            connection.execute(f'drop database "{name}" with (force)')
    return RunServer(server, home)


def ensure_template() -> str:
    """Return the name of a database with all tables, created by this run or an earlier one."""
    config, template = connections["default"].settings_dict, _template()
    name, draft = config["NAME"], f"{template}_draft"
    with _administrator(config["HOST"]) as connection:
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        rows = connection.execute("select 1 from pg_database where datname = %s", [template])
        if rows.fetchone() is None:
            connection.execute(f"drop database if exists {draft} with (force)")
            connection.execute(f"create database {draft}")
            config["NAME"] = draft
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
            database_grants.apply_grants(database_dsn(), embedded_database.PROGRAM_ROLE)
            connections.close_all()
            config["NAME"] = name
            connection.execute(f"alter database {draft} rename to {template}")
    return template


def _template() -> str:
    """Return the template's name, a hash of everything that defines its tables."""
    files = [*(ROOT / "rooftree" / "migrations").glob("*.py"), ROOT / "requirements.lock"]
    files.append(Path(str(database_grants.__file__)))
    parts = (f"{file.name}\0".encode() + file.read_bytes() for file in sorted(files))
    return f"test_template_{hashlib.sha256(b''.join(parts)).hexdigest()[:16]}"


def _administrator(sockets: str) -> "psycopg.Connection[Any]":
    address = make_conninfo("", host=sockets, user=embedded_database.OWNER_ROLE, dbname="postgres")
    return psycopg.connect(address, autocommit=True)


def _free_home() -> DataDir:
    """Lock a folder of this checkout and user that no other run uses; folders persist."""
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
    raise RuntimeError(f"{RUNS_AT_ONCE} test runs of this checkout are already in progress.")

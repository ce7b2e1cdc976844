"""Making a backup while everything runs: one snapshot for the dump and for what is said of it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rooftree import settings
from rooftree.core import embedded_database
from rooftree.core.app_version import app_version
from rooftree.management import backup_files, database
from rooftree.management.backup_files import DUMP_FILE, ERASED_FILE, FORMAT, Manifest

SELECT_TABLES = """
select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relpersistence = 'p'
 order by relname
"""
SELECT_LEDGER_HEAD = (
    "select sequence, chain_hash from event where sequence is not null order by 1 desc limit 1"
)
SELECT_NEWEST_MIGRATION = (
    "select name from django_migrations where app = 'rooftree' order by name desc limit 1"
)
LAST_BACKUP_FILE = "last-backup.json"


SELECT_ERASED_ROWS = """
select r.holding, r.row_id::text from purge_row r join purge p on p.id = r.purge_id
 where r.removed_at is not null or (p.because = 'restore' and r.kept_because = 'gone before')
"""


class BackupFailed(Exception):
    """The backup was not made, and nothing is left of it. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """A backup that is whole."""

    folder: Path
    manifest: Manifest
    size: int  # bytes
    removed: int  # older ones


def make_backup(*, to: Path, keep: int | None, passphrase: str, at: datetime) -> BackupResult:
    """Write a backup into a folder below `to`, and let the oldest go.

    Args:
        keep: how many whole backups stay in `to`; None keeps all.
        passphrase: closes the secrets that go into it; "" leaves them out.

    Raises `CannotBackUp`.
    """
    try:
        with backup_files.draft_folder(to, at) as work:
            manifest = _write_backup(work, passphrase=passphrase, at=at)
            backup_files.write_manifest(work, manifest)
        folder = backup_files.list_backups(to)[-1]
        gone = backup_files.delete_older_backups(to, keep) if keep else []
        _record_last_backup(folder, manifest)
        size = sum(file.stat().st_size for file in folder.iterdir())
    except OSError as problem:
        where = problem.filename or to
        raise BackupFailed(f"{where}: {problem.strerror or problem}.") from problem
    return BackupResult(folder=folder, manifest=manifest, size=size, removed=len(gone))


def find_client_program(name: str, server: int) -> Path:
    """A client program that understands a server of this major version.

    The one that came with Rooftree, else the system's. Raises `CannotBackUp`.
    """
    found: list[Path] = []
    with suppress(embedded_database.StartupError):
        found.append(embedded_database.client_program(name))
    if on_path := shutil.which(name):
        found.append(Path(on_path))
    for one in found:
        said = subprocess.run([str(one), "--version"], capture_output=True, text=True, check=False)
        number = re.search(r"\) (\d+)", said.stdout)
        if number and int(number[1]) >= server:
            return one
    raise BackupFailed(
        f"the database is PostgreSQL {server}, and no {name} of that version or later is here; "
        f"install it (Debian: apt install postgresql-client-{server})."
    )


def run_client_program(command: Sequence[str | Path], address: str) -> str:
    """Run a client program against a database; its complaint, or "" when all went well.

    The password goes through the environment: command lines are public.
    """
    known = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    password = known.pop("password", "")
    done = subprocess.run(
        [*map(str, command), "--dbname", make_conninfo("", **known)],
        env={**os.environ, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if not done.returncode:
        return ""
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return " ".join((lines or [f"it ended with {done.returncode}"])[:2])[:300]


def count_rows(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """How many rows each table has, as this transaction sees them."""
    counted = {}
    for (table,) in connection.execute(SELECT_TABLES).fetchall():
        asked = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
        counted[table] = int(connection.execute(asked).fetchone()[0])  # type: ignore[index]
    return counted


def newest_migration(connection: "psycopg.Connection[Any]") -> str:
    """The name of our newest migration in this database; "" when it has no tables."""
    if not connection.execute("select to_regclass('django_migrations')").fetchone()[0]:  # type: ignore[index]
        return ""
    row = connection.execute(SELECT_NEWEST_MIGRATION).fetchone()
    return str(row[0]) if row else ""


def read_erased_ids(connection: "psycopg.Connection[Any]") -> dict[str, list[str]]:
    """What was removed for good, by kind of record; nothing where no release ever removed."""
    found: dict[str, list[str]] = {}
    if connection.execute("select to_regclass('purge_row')").fetchone()[0]:  # type: ignore[index]
        for holding, key in connection.execute(SELECT_ERASED_ROWS):
            found.setdefault(holding, []).append(key)
    return found


def read_ledger_head(connection: "psycopg.Connection[Any]") -> dict[str, object]:
    """Where the ledger's chain ends."""
    row = connection.execute(SELECT_LEDGER_HEAD).fetchone()
    return {"sequence": row[0], "hash": row[1]} if row else {"sequence": 0, "hash": ""}


def read_last_backup() -> dict[str, str]:
    """The newest backup that this folder's installation made; empty when there was none."""
    try:
        return dict(json.loads((settings.ROOFTREE_HOME / LAST_BACKUP_FILE).read_text()))
    except (OSError, ValueError):
        return {}


def _write_backup(work: Path, *, passphrase: str, at: datetime) -> Manifest:
    with psycopg.connect(database.program_dsn(), connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        migration = newest_migration(connection)
        if not migration:
            raise BackupFailed("the database has no tables yet; there is nothing to keep.")
        manifest = Manifest(
            format=FORMAT,
            made_at=at.isoformat(),
            rooftree=app_version(),
            environment=settings.ROOFTREE_ENV,
            database=connection.info.dbname,
            postgres=str(connection.info.parameter_status("server_version")),
            migration=migration,
            rows=count_rows(connection),
            ledger=read_ledger_head(connection),
            field_keys=[backup_files.field_key_fingerprint(key) for key in settings.FIELD_KEYS],
            secrets="sealed" if passphrase else "left out",
        )
        snapshot = str(connection.execute("select pg_export_snapshot()").fetchone()[0])  # type: ignore[index]
        (work / ERASED_FILE).write_text(json.dumps(read_erased_ids(connection)))
        _dump_database(work / DUMP_FILE, snapshot, connection.info.server_version // 10000)
    if passphrase:
        values = {
            "ROOFTREE_SECRET_KEY": settings.SECRET_KEY,
            "ROOFTREE_FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        }
        backup_files.seal_secrets(work, values, passphrase)
    return manifest


def _dump_database(file: Path, snapshot: str, server: int) -> None:
    file.touch(mode=0o600)
    command: list[str | Path] = [
        find_client_program("pg_dump", server), "--format=custom", "--no-owner", "--no-privileges",
        "--no-unlogged-table-data", f"--snapshot={snapshot}", f"--file={file}",
    ]  # fmt: skip
    if complaint := run_client_program(command, database.program_dsn()):
        raise BackupFailed(f"pg_dump failed: {complaint}")


def _record_last_backup(folder: Path, manifest: Manifest) -> None:
    kept = settings.ROOFTREE_HOME / LAST_BACKUP_FILE
    work = kept.with_name(f".{LAST_BACKUP_FILE}.{os.getpid()}")
    work.write_text(json.dumps({"made_at": manifest.made_at, "folder": str(folder)}) + "\n")
    work.rename(kept)

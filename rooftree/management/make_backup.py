"""Make a backup while everything runs; the dump and its manifest share one snapshot."""

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
from rooftree.management import backup_files, backup_records, database
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
# As JSON, since `upgrade` backs up a database of the step before the columns were renamed.
SELECT_ERASED_ROWS = """
select coalesce(r.r ->> 'record_set', r.r ->> 'holding'), r.r ->> 'row_id'
  from (select purge_id, to_jsonb(purge_row) as r from purge_row) r
  join (select id, to_jsonb(purge) as p from purge) p on p.id = r.purge_id
 where r.r ->> 'removed_at' is not null
    or (coalesce(p.p ->> 'reason', p.p ->> 'because') = 'restore'
        and coalesce(r.r ->> 'kept_reason', r.r ->> 'kept_because') = 'gone before')
"""


class BackupFailed(Exception):
    """The backup failed and left nothing behind. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """A complete backup."""

    folder: Path
    manifest: Manifest
    size: int  # bytes
    removed: int  # how many older backups were deleted


def make_backup(*, to: Path, keep: int | None, passphrase: str, at: datetime) -> BackupResult:
    """Write a backup into a new folder in `to`, and delete the oldest backups.

    Args:
        keep: how many complete backups stay in `to`; None keeps all.
        passphrase: encrypts the secrets; "" leaves them out.

    Raises `BackupFailed`.
    """
    try:
        with backup_files.draft_folder(to, at) as work:
            manifest = _write_backup(work, passphrase=passphrase, at=at)
            backup_files.write_manifest(work, manifest)
        folder = backup_files.list_backups(to)[-1]
        deleted = backup_files.delete_older_backups(to, keep) if keep else []
        backup_records.write_record(
            backup_records.LAST_BACKUP, {"made_at": manifest.made_at, "folder": str(folder)}
        )
        size = sum(file.stat().st_size for file in folder.iterdir())
    except OSError as problem:
        path = problem.filename or to
        raise BackupFailed(f"{path}: {problem.strerror or problem}.") from problem
    return BackupResult(folder=folder, manifest=manifest, size=size, removed=len(deleted))


def find_client_program(name: str, server: int) -> Path:
    """Find a client program that works with a server of this major version.

    Prefers the one that came with Rooftree to the system's. Raises `BackupFailed`.
    """
    candidates: list[Path] = []
    with suppress(embedded_database.StartupError):
        candidates.append(embedded_database.client_program(name))
    if on_path := shutil.which(name):
        candidates.append(Path(on_path))
    for program in candidates:
        result = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=False
        )
        version = re.search(r"\) (\d+)", result.stdout)
        if version and int(version[1]) >= server:
            return program
    raise BackupFailed(
        f"the database is PostgreSQL {server}, but no {name} of that version or later was found. "
        f"Install it (Debian: apt install postgresql-client-{server})."
    )


def run_client_program(command: Sequence[str | Path], address: str) -> str:
    """Run a client program against a database; return its error text, or "" on success.

    The password is passed in the environment: other users can read command lines.
    """
    options = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    password = options.pop("password", "")
    result = subprocess.run(
        [*map(str, command), "--dbname", make_conninfo("", **options)],
        env={**os.environ, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if not result.returncode:
        return ""
    lines = [line for line in result.stderr.strip().splitlines() if line.strip()]
    return " ".join((lines or [f"exit code {result.returncode}"])[:2])[:300]


def count_rows(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """Return the number of rows of each table, as this transaction sees them."""
    counts = {}
    for (table,) in connection.execute(SELECT_TABLES).fetchall():
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
        counts[table] = int(connection.execute(query).fetchone()[0])  # type: ignore[index]
    return counts


def newest_migration(connection: "psycopg.Connection[Any]") -> str:
    """Return the newest Rooftree migration in this database; "" when it has no tables."""
    if not connection.execute("select to_regclass('django_migrations')").fetchone()[0]:  # type: ignore[index]
        return ""
    row = connection.execute(SELECT_NEWEST_MIGRATION).fetchone()
    return str(row[0]) if row else ""


def read_erased_ids(connection: "psycopg.Connection[Any]") -> dict[str, list[str]]:
    """Return the ids of permanently deleted records by kind; empty on tables without them."""
    erased: dict[str, list[str]] = {}
    if connection.execute("select to_regclass('purge_row')").fetchone()[0]:  # type: ignore[index]
        for kind, key in connection.execute(SELECT_ERASED_ROWS):
            erased.setdefault(kind, []).append(key)
    return erased


def read_ledger_head(connection: "psycopg.Connection[Any]") -> dict[str, object]:
    """Return the sequence number and the hash of the last sealed event."""
    row = connection.execute(SELECT_LEDGER_HEAD).fetchone()
    return {"sequence": row[0], "hash": row[1]} if row else {"sequence": 0, "hash": ""}


def _write_backup(work: Path, *, passphrase: str, at: datetime) -> Manifest:
    with psycopg.connect(database.program_dsn(), connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        migration = newest_migration(connection)
        if not migration:
            raise BackupFailed("the database has no tables yet, so there is nothing to back up.")
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
    if error := run_client_program(command, database.program_dsn()):
        raise BackupFailed(f"pg_dump failed: {error}")

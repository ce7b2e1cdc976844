"""Restore a backup into a fresh database, verify it, then swap it in."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from rooftree import settings
from rooftree.management import (
    backup_files,
    backup_records,
    database,
    database_grants,
    make_backup,
    migrate_tables,
)
from rooftree.management.backup_files import DUMP_FILE, Manifest

COUNT_OTHER_SESSIONS = """
select count(*) from pg_stat_activity
 where datname = %s and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
ProgressCallback = Callable[[str], None]


class RestoreFailed(Exception):
    """The restore failed and changed nothing, unless the text says so. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """The result of a restore."""

    manifest: Manifest
    former_database: (
        str  # the name under which the former database is kept; "" when it held nothing
    )


def restore_backup(
    folder: Path,
    *,
    replace: str,
    other_keys: bool,
    erasures: Path | None,
    at: datetime,
    on_progress: ProgressCallback,
) -> RestoreResult:
    """Replace this installation's database with the backup in `folder`.

    Args:
        replace: the name of a database with data, typed by the user to confirm replacing it.
        other_keys: continue although our field keys cannot decrypt the backup's sealed columns.
        erasures: a list of records erased since the backup, stored elsewhere.
        on_progress: gets one sentence after each step.

    Raises `RestoreFailed`, and `backup_files.InvalidBackup`.
    """
    manifest = backup_files.verify_backup(folder)
    on_progress(f"the backup of {manifest.made_at} is complete and unchanged")
    _check_compatible(manifest, other_keys=other_keys)
    name = str(settings.DATABASES["default"]["NAME"])
    with closing(
        psycopg.connect(_database_dsn("postgres"), autocommit=True, connect_timeout=10)
    ) as server:
        has_data = _check_replaceable(server, name, replace)
        stamp = at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        fresh = f"{name}_restoring_{stamp}"
        erased = _collect_erased_ids(folder, name, more=erasures)
        _create_database(server, fresh)
        try:
            _load_dump(folder, manifest, fresh, on_progress)
            _prepare_database(manifest, fresh, on_progress, erased=erased)
        except BaseException:
            _drop_database(server, fresh)
            raise
        former = f"{name}_before_{stamp}" if has_data else ""
        _swap_databases(server, name, fresh, former)
    return RestoreResult(manifest=manifest, former_database=former)


def test_restore(folder: Path, *, at: datetime, on_progress: ProgressCallback) -> Manifest:
    """Restore a backup beside the running database, verify it, and drop it again.

    Records the test restore in `backup_records`.

    Raises `RestoreFailed`, and `backup_files.InvalidBackup`.
    """
    manifest = backup_files.verify_backup(folder)
    _check_compatible(manifest, other_keys=False)
    name = str(settings.DATABASES["default"]["NAME"])
    with closing(
        psycopg.connect(_database_dsn("postgres"), autocommit=True, connect_timeout=10)
    ) as server:
        prefix = f"{name}_test_restore_"
        left_over = server.execute(
            "select datname from pg_database where starts_with(datname, %s)", [prefix]
        ).fetchall()
        for (database_name,) in left_over:  # of a test that was killed
            _drop_database(server, database_name)
        fresh = f"{prefix}{at.astimezone(UTC):%Y%m%d%H%M%S}"
        erased = _collect_erased_ids(folder, name, more=None)
        _create_database(server, fresh)
        try:
            _load_dump(folder, manifest, fresh, on_progress)
            _prepare_database(manifest, fresh, on_progress, erased=erased)
        finally:
            _drop_database(server, fresh)
    backup_records.write_record(
        backup_records.LAST_TEST_RESTORE,
        {
            "made_at": at.isoformat(),
            "backup_at": manifest.made_at,
            "rows": str(sum(manifest.rows.values())),
        },
    )
    return manifest


def _check_compatible(manifest: Manifest, *, other_keys: bool) -> None:
    if manifest.environment != settings.ROOFTREE_ENV:
        raise RestoreFailed(
            f"this is a {manifest.environment} backup and a {settings.ROOFTREE_ENV} installation. "
            "They can't be mixed: made-up borrowers must never reach real carriers."
        )
    if manifest.migration not in {name for _, name in database.released_migrations()}:
        raise RestoreFailed(
            f"the backup was made by a newer release ({manifest.rooftree}, tables "
            f"{manifest.migration}); install that release first."
        )
    fingerprints = {backup_files.field_key_fingerprint(key) for key in settings.FIELD_KEYS}
    if not other_keys and not fingerprints & set(manifest.field_keys):
        raise RestoreFailed(
            "no key in ROOFTREE_FIELD_KEYS matches this backup, so its stored credentials "
            "couldn't be decrypted. Set the right keys (`rooftree restore --secrets FILE BACKUP` "
            "extracts them from a backup with secrets), or add --other-keys."
        )


def _check_replaceable(server: "psycopg.Connection[Any]", name: str, replace: str) -> bool:
    """Return True if the database has data. Raises `RestoreFailed` if it must not be replaced."""
    if not server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return False
    if others := server.execute(COUNT_OTHER_SESSIONS, [name]).fetchone()[0]:  # type: ignore[index]
        raise RestoreFailed(
            f"{others} connections to {name} are open. Stop web, worker, clock and serve first."
        )
    with psycopg.connect(_database_dsn(name), connect_timeout=10) as connection:
        has_data = bool(make_backup.newest_migration(connection)) and _has_data(connection)
    if has_data and replace != name:
        raise RestoreFailed(
            f"{name} isn't empty. To replace it with the backup, add --replace {name}; "
            "the old database is kept under another name."
        )
    return has_data


def _has_data(connection: "psycopg.Connection[Any]") -> bool:
    """Return True if the database was used: it has a user, a person, a delivery or a lead."""
    for table in ("user", "company", "delivery", "person", "lead"):
        if not connection.execute("select to_regclass(%s)", [table]).fetchone()[0]:  # type: ignore[index]
            continue
        query = sql.SQL("select exists (select from {})").format(sql.Identifier(table))
        if connection.execute(query).fetchone()[0]:  # type: ignore[index]
            return True
    return False


def _load_dump(folder: Path, manifest: Manifest, fresh: str, on_progress: ProgressCallback) -> None:
    with psycopg.connect(_database_dsn(fresh), connect_timeout=10) as connection:
        server = connection.info.server_version // 10000
    command: list[str | Path] = [
        make_backup.find_client_program("pg_restore", server), "--no-owner", "--no-privileges",
        "--exit-on-error", f"--jobs={min(4, os.cpu_count() or 1)}", folder / DUMP_FILE,
    ]  # fmt: skip
    if error := make_backup.run_client_program(command, _database_dsn(fresh)):
        raise RestoreFailed(f"pg_restore failed: {error}")
    with psycopg.connect(_database_dsn(fresh), connect_timeout=10) as connection:
        rows, head = make_backup.count_rows(connection), make_backup.read_ledger_head(connection)
        connection.execute("analyze")
    if rows != manifest.rows or head != manifest.ledger:
        different = sorted(
            name for name in rows | manifest.rows if rows.get(name) != manifest.rows.get(name)
        )
        raise RestoreFailed(
            f"the restored data doesn't match the manifest ({', '.join(different) or 'ledger'})."
        )
    on_progress(
        f"{sum(rows.values()):,} rows in {len(rows)} tables restored; the ledger's end matches"
    )


def _collect_erased_ids(folder: Path, name: str, *, more: Path | None) -> dict[str, list[str]]:
    """Collect the ids of permanently deleted records, which a restore must not bring back.

    They come from the database to replace, every backup beside this one, and the list `more`.
    """
    erased: dict[str, set[str]] = {}
    lists: list[dict[str, list[str]]] = []
    with (
        suppress(psycopg.Error),
        psycopg.connect(_database_dsn(name), connect_timeout=10) as connection,
    ):
        lists.append(make_backup.read_erased_ids(connection))
    try:
        files = [*backup_files.list_erasure_files(folder.parent), *([more] if more else [])]
        lists += [json.loads(file.read_text()) for file in files]
        for erasures in lists:
            for kind, keys in erasures.items():
                erased.setdefault(kind, set()).update(keys)
    except (OSError, ValueError, AttributeError) as problem:
        raise RestoreFailed(f"a list of erasures can't be read: {problem}") from problem
    return {kind: sorted(keys) for kind, keys in erased.items()}


def _prepare_database(
    manifest: Manifest, fresh: str, on_progress: ProgressCallback, *, erased: dict[str, list[str]]
) -> None:
    """Migrate, pause sending, repeat erasures and run the checks, before the swap."""
    is_behind = bool(database.missing_migrations(_database_dsn(fresh)))
    if is_behind and migrate_tables.run_migrations(_child_database_environment(fresh)):
        raise RestoreFailed("the restored tables couldn't be migrated; see above.")
    database_grants.apply_grants(_database_dsn(fresh), settings.DATABASE_PROGRAM)
    if _run_rooftree(fresh, "stop-sending", "--backup-at", manifest.made_at):
        raise RestoreFailed("sending couldn't be paused in the restored database; see above.")
    if erased:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(erased))
            file.flush()
            if _run_rooftree(fresh, "erasures", "--apply", file.name):
                raise RestoreFailed("erased records couldn't be removed again; see above.")
    if _run_rooftree(fresh, "check"):
        raise RestoreFailed("the restored database doesn't pass `rooftree check`; see above.")
    on_progress("rooftree check passed, including the ledger's chain")


def _run_rooftree(fresh: str, *words: str) -> int:
    command = [sys.executable, "-m", "rooftree", *words]
    return subprocess.run(
        command,
        env={**os.environ, **_child_database_environment(fresh)},
        check=False,
        stdout=sys.stderr,
    ).returncode


def _swap_databases(server: "psycopg.Connection[Any]", name: str, fresh: str, former: str) -> None:
    """Rename both databases; after a crash in between, their names still show which is which."""
    rename = sql.SQL("alter database {} rename to {}")
    exists = server.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
    if former:
        server.execute(rename.format(sql.Identifier(name), sql.Identifier(former)))
    elif exists:
        _drop_database(server, name)
    try:
        server.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
    except psycopg.Error:
        if former:
            server.execute(rename.format(sql.Identifier(former), sql.Identifier(name)))
        raise


def _create_database(server: "psycopg.Connection[Any]", name: str) -> None:
    try:
        server.execute(
            sql.SQL("create database {} template template0").format(sql.Identifier(name))
        )
    except psycopg.errors.InsufficientPrivilege as problem:
        raise RestoreFailed(
            "this account can't create a database. A superuser can allow it: "
            f"alter role {server.info.user} createdb;"
        ) from problem


def _drop_database(server: "psycopg.Connection[Any]", name: str) -> None:
    server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _database_dsn(name: str) -> str:
    return make_conninfo(database.program_dsn(), dbname=name)


def _child_database_environment(name: str) -> dict[str, str]:
    """Return the environment in which our commands use another database of the server."""
    return database.child_environment() | {
        "DATABASE_URL": migrate_tables.dsn_to_url(_database_dsn(name)),
        "DATABASE_OWNER_URL": "",
    }

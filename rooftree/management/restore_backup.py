"""Bringing a backup back: into a fresh database first, which takes our place when proved."""

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
from rooftree.management import backup_files, database, database_grants, make_backup, migrate_tables
from rooftree.management.backup_files import DUMP_FILE, Manifest

COUNT_OTHER_SESSIONS = """
select count(*) from pg_stat_activity
 where datname = %s and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
ProgressCallback = Callable[[str], None]


class RestoreFailed(Exception):
    """Nothing was changed, unless the text says so. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """What is in place now."""

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
    say: ProgressCallback,
) -> RestoreResult:
    """Put the backup in `folder` in the place of this installation's database.

    Args:
        replace: the name of a database that holds something, as the person's word for it.
        other_keys: go on although the backup's sealed columns cannot be opened here.
        erasures: a list of what was removed since, kept elsewhere.

    Raises `CannotRestore`, and `backup_files.NotABackup`.
    """
    manifest = backup_files.verify_backup(folder)
    say(f"the backup of {manifest.made_at} is as it was written")
    _check_compatible(manifest, other_keys=other_keys)
    with closing(_connect_server()) as server:
        name = _database_name()
        holds = _check_replaceable(server, name, replace)
        stamp = at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        fresh = f"{name}_restoring_{stamp}"
        erased = _collect_erased_ids(folder, name, more=erasures)
        _create_database(server, fresh)
        try:
            _load_dump(folder, manifest, fresh, say)
            _prepare_database(manifest, fresh, say, erased=erased)
        except BaseException:
            _drop_database(server, fresh)
            raise
        aside = f"{name}_before_{stamp}" if holds else ""
        _swap_databases(server, name, fresh, aside)
    return RestoreResult(manifest=manifest, former_database=aside)


def _check_compatible(manifest: Manifest, *, other_keys: bool) -> None:
    if manifest.environment != settings.ROOFTREE_ENV:
        raise RestoreFailed(
            f"this is a backup of a {manifest.environment} and this installation is a "
            f"{settings.ROOFTREE_ENV}: made-up people must never meet real carriers."
        )
    if manifest.migration not in {name for _, name in database.released_migrations()}:
        raise RestoreFailed(
            f"the backup was made by a newer release ({manifest.rooftree}, tables "
            f"{manifest.migration}); install that release first."
        )
    ours = {backup_files.field_key_fingerprint(key) for key in settings.FIELD_KEYS}
    if not other_keys and not ours & set(manifest.field_keys):
        raise RestoreFailed(
            "none of ROOFTREE_FIELD_KEYS is the key of this backup, so its stored credentials "
            "could not be read; set the right ones (`rooftree restore --secrets FILE BACKUP` "
            "takes them out of a backup that holds them), or say --other-keys."
        )


def _check_replaceable(server: "psycopg.Connection[Any]", name: str, replace: str) -> bool:
    """Whether there is a database that holds something; raises when it must not be replaced."""
    if not server.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return False
    if others := server.execute(COUNT_OTHER_SESSIONS, [name]).fetchone()[0]:  # type: ignore[index]
        raise RestoreFailed(
            f"{others} connections to {name} are open: stop web, worker, clock and serve first."
        )
    with psycopg.connect(_database_dsn(name), connect_timeout=10) as ours:
        holds = bool(make_backup.newest_migration(ours)) and _has_data(ours)
    if holds and replace != name:
        raise RestoreFailed(
            f"{name} is not empty. To put the backup in its place say --replace {name}; "
            "the former one is kept under another name."
        )
    return holds


def _has_data(connection: "psycopg.Connection[Any]") -> bool:
    """Whether anybody has used it: a person, a delivery or a member of staff is on file."""
    for table in ("user", "company", "delivery", "person", "lead"):
        if not connection.execute("select to_regclass(%s)", [table]).fetchone()[0]:  # type: ignore[index]
            continue
        asked = sql.SQL("select exists (select from {})").format(sql.Identifier(table))
        if connection.execute(asked).fetchone()[0]:  # type: ignore[index]
            return True
    return False


def _load_dump(folder: Path, manifest: Manifest, fresh: str, say: ProgressCallback) -> None:
    with psycopg.connect(_database_dsn(fresh), connect_timeout=10) as connection:
        server = connection.info.server_version // 10000
    command: list[str | Path] = [
        make_backup.find_client_program("pg_restore", server), "--no-owner", "--no-privileges",
        "--exit-on-error", f"--jobs={min(4, os.cpu_count() or 1)}", folder / DUMP_FILE,
    ]  # fmt: skip
    if complaint := make_backup.run_client_program(command, _database_dsn(fresh)):
        raise RestoreFailed(f"pg_restore failed: {complaint}")
    with psycopg.connect(_database_dsn(fresh), connect_timeout=10) as connection:
        rows, head = make_backup.count_rows(connection), make_backup.read_ledger_head(connection)
        connection.execute("analyze")
    if rows != manifest.rows or head != manifest.ledger:
        wrong = sorted(
            name for name in rows | manifest.rows if rows.get(name) != manifest.rows.get(name)
        )
        raise RestoreFailed(
            f"what was restored is not what the manifest says ({', '.join(wrong) or 'ledger'})."
        )
    say(f"{sum(rows.values()):,} rows of {len(rows)} tables are back, and the ledger's end agrees")


def _collect_erased_ids(folder: Path, name: str, *, more: Path | None) -> dict[str, list[str]]:
    """What was removed for good, as far as anything here knows: no restore brings it back.

    By the database that is replaced, every backup beside this one, and a list kept elsewhere.
    """
    found: dict[str, set[str]] = {}
    lists: list[dict[str, list[str]]] = []
    with suppress(psycopg.Error), psycopg.connect(_database_dsn(name), connect_timeout=10) as ours:
        lists.append(make_backup.read_erased_ids(ours))
    try:
        files = [*backup_files.list_erasure_files(folder.parent), *([more] if more else [])]
        lists += [json.loads(file.read_text()) for file in files]
        for one in lists:
            for holding, keys in one.items():
                found.setdefault(holding, set()).update(keys)
    except (OSError, ValueError, AttributeError) as problem:
        raise RestoreFailed(f"a list of erasures cannot be read: {problem}") from problem
    return {holding: sorted(keys) for holding, keys in found.items()}


def _prepare_database(
    manifest: Manifest, fresh: str, say: ProgressCallback, *, erased: dict[str, list[str]]
) -> None:
    """Newer tables, the pause of all sending, and proof, while nothing else sees the database."""
    is_behind = bool(database.missing_migrations(_database_dsn(fresh)))
    if is_behind and migrate_tables.run_migrations(_child_database_environment(fresh)):
        raise RestoreFailed("the restored tables could not be brought up to date; see above.")
    database_grants.apply_grants(_database_dsn(fresh), settings.DATABASE_PROGRAM)
    if _run_rooftree(fresh, "stop-sending", "--backup-at", manifest.made_at):
        raise RestoreFailed("sending could not be paused in the restored database; see above.")
    if erased:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(erased))
            file.flush()
            if _run_rooftree(fresh, "erasures", "--apply", file.name):
                raise RestoreFailed("what was erased could not be removed again; see above.")
    if _run_rooftree(fresh, "check"):
        raise RestoreFailed("the restored database does not pass `rooftree check`; see above.")
    say("rooftree check holds, the ledger's chain among it")


def _run_rooftree(fresh: str, *words: str) -> int:
    command = [sys.executable, "-m", "rooftree", *words]
    return subprocess.run(
        command,
        env={**os.environ, **_child_database_environment(fresh)},
        check=False,
        stdout=sys.stderr,
    ).returncode


def _swap_databases(server: "psycopg.Connection[Any]", name: str, fresh: str, aside: str) -> None:
    """One rename after the other; after a crash between, both still have names that tell."""
    rename = sql.SQL("alter database {} rename to {}")
    exists = server.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
    if aside:
        server.execute(rename.format(sql.Identifier(name), sql.Identifier(aside)))
    elif exists:
        _drop_database(server, name)
    try:
        server.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
    except psycopg.Error:
        if aside:
            server.execute(rename.format(sql.Identifier(aside), sql.Identifier(name)))
        raise


def _create_database(server: "psycopg.Connection[Any]", name: str) -> None:
    try:
        server.execute(
            sql.SQL("create database {} template template0").format(sql.Identifier(name))
        )
    except psycopg.errors.InsufficientPrivilege as problem:
        raise RestoreFailed(
            "our account may not create a database; a superuser can allow it: "
            f"alter role {server.info.user} createdb;"
        ) from problem


def _drop_database(server: "psycopg.Connection[Any]", name: str) -> None:
    server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _connect_server() -> "psycopg.Connection[Any]":
    return psycopg.connect(_database_dsn("postgres"), autocommit=True, connect_timeout=10)


def _database_name() -> str:
    return str(settings.DATABASES["default"]["NAME"])


def _database_dsn(name: str) -> str:
    return make_conninfo(database.program_dsn(), dbname=name)


def _child_database_environment(name: str) -> dict[str, str]:
    """How our own commands, in processes of their own, reach another database of the server."""
    ours = {
        "DATABASE_URL": migrate_tables.dsn_to_url(_database_dsn(name)),
        "DATABASE_OWNER_URL": "",
    }
    return database.child_environment() | ours

"""A temporary installation for one run: a home, a real PostgreSQL and processes.

Call `open_installation` before importing any Rooftree module that reads settings.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent
SERVER_TIMEOUT = 60.0  # seconds for a server to answer
DUMMY_MAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A home with a running database; Django is set up for it in this process."""

    home: Path
    database_pid: int
    address: str  # libpq address for psycopg, with the program's database role

    @contextmanager
    def process(self, command: Sequence[str], **environment: str) -> Iterator[subprocess.Popen]:
        """Run one more process of this installation during the block."""
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(timeout=25)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def open_installation(
    *, tuning: Mapping[str, str] | None = None, **environment: str
) -> Iterator[Installation]:
    """Create a home, start its database as production does, and set up Django on it."""
    home = Path(tempfile.mkdtemp(prefix="rooftree-bench-"))
    home.chmod(0o711)
    os.environ |= {
        "ROOFTREE_HOME": str(home),
        "ROOFTREE_ENV": "demo",
        "ROOFTREE_CARRIER": "console",
        "ROOFTREE_MAIL_BACKEND": DUMMY_MAIL_BACKEND,
        "ROOFTREE_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "rooftree.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "bench")]),
        **environment,
    }
    os.environ.pop("DATABASE_URL", None)
    sys.path.insert(0, str(ROOT))
    from rooftree.core import embedded_database

    server = embedded_database.start_server(home, dict(tuning or {}))
    try:
        _setup_django()
        yield Installation(
            home=home,
            database_pid=server.process.pid,
            address=make_conninfo(
                embedded_database.server_conninfo(home), user=embedded_database.PROGRAM_ROLE
            ),
        )
    finally:
        from django.db import connections

        connections.close_all()
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _setup_django() -> None:
    import django
    import psycopg

    from rooftree.core import embedded_database
    from rooftree.management import database, migrate_tables

    if migrate_tables.run_migrations():
        raise RuntimeError("The tables could not be created.")
    django.setup()
    database.grant_program_rights()
    with psycopg.connect(database.owner_dsn()) as owner:  # baselines create their own tables
        owner.execute(f"grant create on schema public to {embedded_database.PROGRAM_ROLE}")


def python_command(*words: str) -> list[str]:
    """Return a command line of this interpreter."""
    return [sys.executable, *words]


def rooftree_command(*words: str) -> list[str]:
    """Return a command line of the product."""
    return python_command("-m", "rooftree", *words)


def serve_command(module: str, port: int) -> list[str]:
    """Return the command line that serves a module's ASGI application as the product is served."""
    return python_command(
        "-m", "granian", f"{module}:application", "--interface", "asgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--no-ws", "--log-level", "warning",
    )  # fmt: skip


def find_free_port() -> int:
    """Return a port that is free now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_url(url: str) -> float:
    """Wait until the URL answers 200; return the seconds it took."""
    started = time.perf_counter()
    while time.perf_counter() - started < SERVER_TIMEOUT:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own)
                if answer.status == 200:
                    return time.perf_counter() - started
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.02)
    raise TimeoutError(f"Nothing answers at {url}.")

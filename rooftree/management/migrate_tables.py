"""Migrate the tables to this release without blocking users for long."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

# Without Django's checks, which would load every page; `rooftree check` runs them.
MIGRATE_ARGUMENTS = ("migrate", "--verbosity", "0", "--skip-checks")
LOCK_SECONDS = 5  # a migration that waits for a lock blocks every query behind it
MAX_TRIES, RETRY_SECONDS = 5, 3.0  # then it gives up with the failed migration undone


def run_migrations(environment: Mapping[str, str] | None = None) -> int:
    """Run `rooftree migrate` in its own process; return the exit code.

    Waits at most `LOCK_SECONDS` for a lock, so that a long query cannot make it block everyone,
    and retries a few times. Each migration is one transaction, applied completely or not at all.
    """
    variables = {**os.environ, **(environment or {})}
    timeout = f"-c lock_timeout={LOCK_SECONDS}s"
    variables["ROOFTREE_DATABASE_AS"] = "owner"
    variables["PGOPTIONS"] = f"{variables.get('PGOPTIONS', '')} {timeout}".strip()
    code = 0
    for attempt in range(MAX_TRIES):
        if attempt:
            time.sleep(RETRY_SECONDS)
        code = subprocess.run(
            [sys.executable, "-m", "rooftree", *MIGRATE_ARGUMENTS], check=False, env=variables
        ).returncode
        if code == 0:
            break
    return code


def dsn_to_url(address: str) -> str:
    """Convert a libpq connection string to a URL for DATABASE_URL."""
    parts = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    name = parts.pop("dbname")
    return f"postgresql:///{quote(name, safe='')}?{urlencode(parts)}"

"""Bringing the tables up to a release without standing in the way of those at work."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

# Without Django's checks, which would load every page; `rooftree check` asks them.
MIGRATE_ARGUMENTS = ("migrate", "--verbosity", "0", "--skip-checks")
LOCK_SECONDS = 5  # a migration that waits for a lock holds up everybody behind it
MAX_TRIES, RETRY_SECONDS = 5, 3.0  # then it gives up, and nothing was changed


def run_migrations(environment: Mapping[str, str] | None = None) -> int:
    """Run `rooftree migrate` in a process of its own; its code.

    It waits no longer than `LOCK_SECONDS` for a lock, so that a long query cannot make it
    stop the house, and tries a few times. Each migration is one transaction: it happened, or not.
    """
    asked = {**os.environ, **(environment or {})}
    timeout = f"-c lock_timeout={LOCK_SECONDS}s"
    asked["ROOFTREE_DATABASE_AS"] = "owner"
    asked["PGOPTIONS"] = f"{asked.get('PGOPTIONS', '')} {timeout}".strip()
    code = 0
    for tried in range(MAX_TRIES):
        if tried:
            time.sleep(RETRY_SECONDS)
        code = subprocess.run(
            [sys.executable, "-m", "rooftree", *MIGRATE_ARGUMENTS], check=False, env=asked
        ).returncode
        if code == 0:
            break
    return code


def dsn_to_url(address: str) -> str:
    """A libpq connection string as DATABASE_URL reads it."""
    parts = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    name = parts.pop("dbname")
    return f"postgresql:///{quote(name, safe='')}?{urlencode(parts)}"

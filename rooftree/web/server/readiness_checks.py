"""Whether the rest of the installation lives, as the database knows it."""

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader

LIVE_WORKERS_SQL = """
select count(distinct node) from oban_producers
 where updated_at > timezone('UTC', now()) - interval '10 s'
"""
LIVE_SCHEDULERS_SQL = """
select count(*) from pg_stat_activity
 where application_name = 'rooftree clock' and datname = current_database()
"""


def check_processes() -> tuple[bool, str]:
    """True with `ready` when a worker and a clock live; else what is missing."""
    try:
        missing = [
            name
            for name, asked in (("worker", LIVE_WORKERS_SQL), ("clock", LIVE_SCHEDULERS_SQL))
            if not _is_positive(asked)
        ]
    except Error:
        return False, "the database does not answer"
    if missing:
        return False, f"no {' and no '.join(missing)} runs; start rooftree serve"
    return True, "ready, with worker and clock"


def has_newer_migrations(loader: MigrationLoader) -> bool:
    """Whether the database has migrations of ours that this release does not know."""
    known = {name for app, name in loader.disk_migrations if app == "rooftree"}
    done = {name for app, name in loader.applied_migrations if app == "rooftree"}
    return bool(done - known)


def _is_positive(statement: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return bool(cursor.fetchone()[0])

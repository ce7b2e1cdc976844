"""Checks that workers and the scheduler are running, as seen in the database."""

from django.db import Error
from django.db.migrations.loader import MigrationLoader

from rooftree.db.statements import query_row

LIVE_WORKERS_SQL = """
select count(distinct node) from oban_producers
 where updated_at > timezone('UTC', now()) - interval '10 s'
"""
LIVE_SCHEDULERS_SQL = """
select count(*) from pg_stat_activity
 where application_name = 'rooftree clock' and datname = current_database()
"""


def check_processes() -> tuple[bool, str]:
    """Check for a live worker and scheduler; return False and what is missing otherwise."""
    try:
        missing = [
            name
            for name, sql in (("worker", LIVE_WORKERS_SQL), ("scheduler", LIVE_SCHEDULERS_SQL))
            if not query_row(sql)[0]
        ]
    except Error:
        return False, "the database is not responding"
    if missing:
        return False, f"no {' and no '.join(missing)} running; start rooftree serve"
    return True, "ready, with worker and scheduler"


def has_newer_migrations(loader: MigrationLoader) -> bool:
    """Return True if the database has Rooftree migrations that this release doesn't know."""
    known = {name for app, name in loader.disk_migrations if app == "rooftree"}
    applied = {name for app, name in loader.applied_migrations if app == "rooftree"}
    return bool(applied - known)

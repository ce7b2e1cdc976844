"""Tasks that will not be tried again unless a person says so."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

SELECT_FAILED = """
    select id, args ->> 'task', queue, attempt, discarded_at, errors -> -1 ->> 'error', args
      from oban_jobs
     where state = 'discarded'
     order by discarded_at desc, id desc
     limit %s
"""
REQUEUE_FAILED = """
    with job as (
        update oban_jobs
           set state = 'available', max_attempts = greatest(max_attempts, attempt + 1),
               scheduled_at = timezone('UTC', now()), discarded_at = null,
               meta = meta || jsonb_build_object('retried_by_hand',
                   coalesce((meta ->> 'retried_by_hand')::int, 0) + 1)
         where id = %s and state = 'discarded'
        returning queue
    )
    select pg_notify('public.oban_insert', jsonb_build_object('queue', queue)::text) from job
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedJob:
    """One task that gave up. `why` is fit to show to staff."""

    id: int
    task: str
    queue: str
    attempts: int
    failed_at: datetime
    reason: str
    arguments: dict[str, Any]


def list_failed_jobs(limit: int = 200) -> list[FailedJob]:
    """The newest tasks that gave up, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_FAILED, [limit])
        rows = cursor.fetchall()
    return [
        FailedJob(
            id=row[0],
            task=row[1] or "?",
            queue=row[2],
            attempts=row[3],
            failed_at=row[4].replace(tzinfo=UTC),
            reason=_last_error_line(row[5] or ""),
            arguments=_keyword_arguments(row[6]),
        )
        for row in rows
    ]


def count_failed_jobs() -> int:
    """How many tasks have given up and wait for a person."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from oban_jobs where state = 'discarded'")
        return int(cursor.fetchone()[0])


def retry_failed_job(job_id: int) -> bool:
    """Put a task that gave up back to work, once; False when it is not one any more."""
    with connection.cursor() as cursor:
        cursor.execute(REQUEUE_FAILED, [job_id])
        return cursor.fetchone() is not None


def _last_error_line(error: str) -> str:
    """The outcome's own words out of the record that the queue keeps."""
    lines = error.strip().splitlines()
    return lines[-1].removeprefix("rooftree.tasks.worker.Failed: ") if lines else ""


def _keyword_arguments(args: Any) -> dict[str, Any]:
    found = json.loads(args) if isinstance(args, str) else args
    return dict(found.get("kwargs", {}))

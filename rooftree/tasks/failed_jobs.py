"""Tasks that gave up and wait for a person to retry them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rooftree.db.statements import query_row, query_rows

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
    """One task that gave up. `reason` is fit to show to staff."""

    id: int
    task: str
    queue: str
    attempts: int
    failed_at: datetime
    reason: str
    arguments: dict[str, Any]


def list_failed_jobs(limit: int = 200) -> list[FailedJob]:
    """Return the tasks that gave up, newest first."""
    rows = query_rows(SELECT_FAILED, [limit])
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
    """Return how many tasks gave up and wait for a person."""
    return int(query_row("select count(*) from oban_jobs where state = 'discarded'")[0])


def retry_failed_job(job_id: int) -> bool:
    """Requeue a task that gave up; return False when it is no longer among them.

    A repeated call does nothing.
    """
    return query_row(REQUEUE_FAILED, [job_id]) is not None


def _last_error_line(error: str) -> str:
    """Return the outcome's reason from the error text that the queue stores."""
    lines = error.strip().splitlines()
    return lines[-1].removeprefix("rooftree.tasks.worker.Failed: ") if lines else ""


def _keyword_arguments(args: Any) -> dict[str, Any]:
    fields = json.loads(args) if isinstance(args, str) else args
    return dict(fields.get("kwargs", {}))

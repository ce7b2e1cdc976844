"""Run queued tasks now, on the caller's own connection, for tests and the demo."""

import json
from datetime import datetime
from typing import Any

from django.db import transaction

from rooftree.db.statements import execute, query_row, query_rows
from rooftree.tasks.backend import naive_utc
from rooftree.tasks.task_attempt import DiscardTask, PostponeTask, call_task

MAX_TASKS = 1000  # more means a bug: tasks that queue each other forever
CLAIM_NEXT = """
    update oban_jobs
       set state = 'executing', attempt = attempt + 1, attempted_at = timezone('UTC', now())
     where id = (
         select id from oban_jobs
          where attempt < max_attempts
            and (state = 'available'
                 or state in ('scheduled', 'retryable') and scheduled_at <= %(by)s)
          order by priority, scheduled_at, id
          limit 1
            for update skip locked)
    returning id, args
"""
CLOSE_JOB = """
    update oban_jobs set state = %s::oban_job_state, completed_at = timezone('UTC', now())
     where id = %s
"""
POSTPONE_JOB = """
    update oban_jobs
       set state = 'scheduled', attempt = attempt - 1,
           scheduled_at = timezone('UTC', now()) + make_interval(secs => %s)
     where id = %s
"""


def run_queued_tasks(by: datetime | None = None) -> int:
    """Run queued tasks, and the tasks those queue, until none is left; return how many ran.

    Each task runs in a savepoint. The first error is raised, and its row stays unchanged.
    Tasks scheduled for later run only when they are due at `by`.
    """
    for count in range(MAX_TASKS):
        if not _run_next(by):
            return count
    raise RuntimeError(f"More than {MAX_TASKS} tasks: do they queue each other forever?")


def queued_task_names() -> list[str]:
    """Return the names of the queued tasks, in the order in which they would run."""
    rows = query_rows(
        "select args ->> 'task' from oban_jobs where state in ('available', 'scheduled')"
        " order by priority, scheduled_at, id"
    )
    return [name for (name,) in rows]


def _run_next(by: datetime | None) -> bool:
    with transaction.atomic():
        row = query_row(CLAIM_NEXT, {"by": naive_utc(by)})
        if row is None:
            return False
        job_id, args = row
        _run_and_close(job_id, json.loads(args) if isinstance(args, str) else args)
    return True


def _run_and_close(job_id: int, args: dict[str, Any]) -> None:
    statement = CLOSE_JOB
    values: list[str | float] = ["completed", job_id]
    try:
        with transaction.atomic():
            call_task(args)
    except DiscardTask:
        values = ["cancelled", job_id]
    except PostponeTask as later:
        statement, values = POSTPONE_JOB, [later.seconds, job_id]
    execute(statement, values)

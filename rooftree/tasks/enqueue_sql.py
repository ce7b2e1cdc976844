"""SQL that enqueues a task from inside another statement, in the same commit as its cause.

The rows are the source of truth, and the task only says to look at them: while one is queued, a
second adds nothing. If the queued one runs before the new row is committed, the clock finds it.
"""

from typing import Any

from rooftree.tasks.backend import job_row

DUPLICATE_SCAN_LIMIT = 20  # among the tasks that run first; a duplicate does no harm

# Two parts of a statement: a common table expression, to be named `nudge`, that inserts the task
# if the expression `cause` has a row; and the expression to select, which notifies the workers.
ENQUEUE_ONCE = f"""
    insert into oban_jobs (worker, queue, priority, max_attempts, args, meta, state, scheduled_at)
    select %s, %s, %s, %s, %s, %s, 'available', timezone('UTC', now()) from cause
     where not exists (
           select from (
             select args from oban_jobs
              where state = 'available' and queue = %s and priority = %s
              order by scheduled_at, id limit {DUPLICATE_SCAN_LIMIT}) first
            where args ->> 'task' = %s)
    returning queue
"""  # noqa: S608 (a number of ours)
NOTIFY_WORKERS = """
    (select pg_notify('public.oban_insert', jsonb_build_object('queue', queue)::text) from nudge)
"""


def enqueue_values(task: Any) -> list[Any]:
    """Return the parameters of `ENQUEUE_ONCE` for a task that takes no arguments."""
    row = job_row(task, [], {})
    return [*row.values(), row["queue"], row["priority"], task.task_name]

"""Waking a task from inside another statement, so that the cause and the nudge are one commit.

Rows are the truth and a task is a nudge: while one waits to be run, a second says nothing new.
Should the one that waits have run before what it was to find is committed, the clock finds it.
"""

from typing import Any

from rooftree.tasks.backend import job_row

DUPLICATE_SCAN_LIMIT = 20  # of those that run first; a nudge too many does no harm

# Two parts of a statement: a table expression, to be named `nudge`, which writes the row for
# the row of the table expression `cause`, if there is one; and what is selected to tell of it.
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
    """What stands in the places of `WRITE` for a task, which takes no arguments."""
    row = job_row(task, [], {})
    return [*row.values(), row["queue"], row["priority"], task.task_name]

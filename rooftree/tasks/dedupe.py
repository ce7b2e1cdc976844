"""Dedupe tasks that process everything due, where one run covers all queued duplicates."""

from typing import Any

from rooftree.db.statements import execute

COMPLETE_DUPLICATES = """
update oban_jobs set state = 'completed', completed_at = timezone('UTC', now())
 where id in (select id from oban_jobs
               where state = 'available' and queue = %s and args ->> 'task' = %s
                 for update skip locked)
"""


def complete_waiting_duplicates(task: Any) -> None:
    """Mark queued duplicates of `task` as completed by the run that starts now.

    Call it before looking for what is due: the rows they were queued for are already committed.
    """
    execute(COMPLETE_DUPLICATES, [task.queue_name, task.task_name])

"""Nudges: tasks that work through whatever is due, so that one run answers all that wait."""

from typing import Any

from django.db import connection

COMPLETE_DUPLICATES = """
update oban_jobs set state = 'completed', completed_at = timezone('UTC', now())
 where id in (select id from oban_jobs
               where state = 'available' and queue = %s and args ->> 'task' = %s
                 for update skip locked)
"""


def complete_waiting_duplicates(task: Any) -> None:
    """Take the nudges of `task` that wait as answered by the run that begins now.

    Call it before looking for what is due: what they were for is committed, as they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(COMPLETE_DUPLICATES, [task.queue_name, task.task_name])

"""Django's Tasks API on Oban: a task is a row, committed with the change that caused it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import Jsonb
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import TASK_MAX_PRIORITY, TASK_MIN_PRIORITY, Task
from django.utils.json import normalize_json

from rooftree.core.log_formatting import request_id
from rooftree.db.statements import query_row
from rooftree.tasks import task_registry

WORKER_CLASS = "rooftree.tasks.worker.Run"
MAX_ATTEMPTS = 5
LOWEST_PRIORITY = 9  # Oban's priorities run from 0, first, to 9, last
INSERT_JOB = """
    with job as (
        insert into oban_jobs
               (worker, queue, priority, max_attempts, args, meta, state, scheduled_at)
        values (%(worker)s, %(queue)s, %(priority)s, %(max_attempts)s, %(args)s, %(meta)s,
                case when %(at)s::timestamp is null then 'available' else 'scheduled'
                end::oban_job_state,
                coalesce(%(at)s::timestamp, timezone('UTC', now())))
        returning id, queue, inserted_at
    )
    select id, inserted_at,
           pg_notify('public.oban_insert', jsonb_build_object('queue', queue)::text)
      from job
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObanTask(Task):  # type: ignore[type-arg]
    """A task with a name for its rows and a maximum number of attempts.

    `task_name` defaults to the function's name. When a function is renamed, pass the old name,
    so that rows already queued still find it.
    """

    max_attempts: int = MAX_ATTEMPTS
    task_name: str = ""

    def __post_init__(self) -> None:
        Task.__post_init__(self)
        if not self.task_name:
            object.__setattr__(self, "task_name", self.func.__name__)
        task_registry.register_task(self.task_name, self.func)


class ObanBackend(BaseTaskBackend):
    """Writes tasks through Django's own connection, inside the caller's transaction."""

    task_class = ObanTask
    supports_defer = True
    supports_priority = True

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> "TaskResult[Any, Any]":
        """Insert the row; the task runs once the transaction commits, and never if it does not."""
        self.validate_task(task)
        args, kwargs = normalize_json(list(args)), normalize_json(kwargs)
        row = job_row(task, args, kwargs) | {"at": naive_utc(task.run_after)}
        job_id, inserted_at, _ = query_row(INSERT_JOB, row)
        return TaskResult(
            task=task,
            id=str(job_id),
            status=TaskResultStatus.READY,
            enqueued_at=inserted_at.replace(tzinfo=UTC),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def job_row(task: Any, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a task's row by column, for every statement that inserts one."""
    return {
        "worker": WORKER_CLASS,
        "queue": task.queue_name,
        "priority": oban_priority(task.priority),
        "max_attempts": task.max_attempts,
        "args": Jsonb({"task": task.task_name, "args": args, "kwargs": kwargs}),
        "meta": Jsonb({"request": current_id} if (current_id := request_id.get()) else {}),
    }


def oban_priority(priority: int) -> int:
    """Convert Django's priority, -100 (last) to 100 (first), to Oban's 9 (last) to 0 (first)."""
    span = TASK_MAX_PRIORITY - TASK_MIN_PRIORITY
    return LOWEST_PRIORITY - (priority - TASK_MIN_PRIORITY) * LOWEST_PRIORITY // span


def naive_utc(moment: datetime | None) -> datetime | None:
    """Convert `moment` to UTC without a zone, as the queue's columns store it."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None

"""A queue in this process alone: what history queues, history runs; no worker ever sees it."""

from collections import deque
from collections.abc import Callable
from typing import Any

from django.tasks import TaskResult, TaskResultStatus

from rooftree.tasks.backend import ObanBackend
from rooftree.tasks.task_attempt import call_task

_pending: deque[dict[str, Any]] = deque()


class InlineBackend(ObanBackend):
    """Keeps tasks in memory until `drain`. A task without its turn ends with the process."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> "TaskResult[Any, Any]":
        """Put the task in line; the same one already waiting is enough."""
        self.validate_task(task)
        row = {"task": task.task_name, "args": list(args), "kwargs": dict(kwargs)}
        if row not in _pending:
            _pending.append(row)
        return TaskResult(
            task=task, id="", status=TaskResultStatus.READY, enqueued_at=None, started_at=None,
            last_attempted_at=None, finished_at=None, args=row["args"], kwargs=row["kwargs"],
            backend=self.alias, errors=[], worker_ids=[],
        )  # fmt: skip


def skip_notifications(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """For `connection.execute_wrapper`: open pages need not hear of what was long ago."""
    if sql.startswith("select pg_notify"):
        return None
    return execute(sql, params, many, context)


def clear_queue() -> None:
    """Forget what waits: the transaction it was part of is undone."""
    _pending.clear()


def run_pending() -> int:
    """Run what waits, and what that queues; how many ran. After an error the rest is gone."""
    done = 0
    try:
        while _pending:
            call_task(_pending.popleft())
            done += 1
    finally:
        _pending.clear()
    return done

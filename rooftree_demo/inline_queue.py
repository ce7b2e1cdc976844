"""A task queue in this process: the history loader runs its own tasks, no worker sees them."""

from collections import deque
from collections.abc import Callable
from typing import Any

from django.tasks import TaskResult, TaskResultStatus

from rooftree.tasks.backend import ObanBackend
from rooftree.tasks.task_attempt import call_task

_pending: deque[dict[str, Any]] = deque()


class InlineBackend(ObanBackend):
    """Keeps tasks in memory until `run_pending`. Tasks that never ran end with the process."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> "TaskResult[Any, Any]":
        """Queue a task, unless the same one is already waiting."""
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
    """Skip pg_notify (for `connection.execute_wrapper`): open pages need no news of the past."""
    if sql.startswith("select pg_notify"):
        return None
    return execute(sql, params, many, context)


def clear_queue() -> None:
    """Drop waiting tasks, because their transaction was rolled back."""
    _pending.clear()


def run_pending() -> int:
    """Run waiting tasks and the tasks they queue; return how many ran.

    An error drops the remaining tasks.
    """
    done = 0
    try:
        while _pending:
            call_task(_pending.popleft())
            done += 1
    finally:
        _pending.clear()
    return done

"""Process many items at once, so that one that fails does not affect the others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from django.db import InterfaceError, OperationalError

log = logging.getLogger(__name__)
DATABASE_ERRORS = (
    InterfaceError,
    OperationalError,
)  # the database is down, or another transaction interfered
RESOURCE_LIMIT_SQLSTATES = (
    "53",
    "54",
)  # SQLSTATE classes that are the item's own fault: it exceeds a limit of the database


def run_batch[T, R](
    act: Callable[[Sequence[T]], Sequence[R]],
    items: Sequence[T],
    *,
    on_failure: Callable[[T, Exception], None],
) -> list[R]:
    """Run `act` on all items at once; if that fails, on each alone.

    An item that fails alone goes to `on_failure`. Before `act` raises, it must undo its work.
    Errors of the database itself are raised to the caller.
    """
    try:
        return list(act(items)) if items else []
    except Exception as problem:  # one item's bug must not stop the rest
        if _is_database_failure(problem):
            raise
        if len(items) == 1:
            on_failure(items[0], problem)
            return []
    return [result for item in items for result in run_batch(act, [item], on_failure=on_failure)]


def run_concurrently[T, R](act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Run `act` on all items in parallel threads: for calls to vendors, not for database work."""
    if len(items) < 2:
        return [act(item) for item in items]
    contexts = [copy_context() for _ in items]  # so that threads log the same request id
    with ThreadPoolExecutor(len(items), thread_name_prefix="at-once") as pool:
        return list(pool.map(lambda context, item: context.run(act, item), contexts, items))


@contextmanager
def requeue_individually(task: Any, **argument: Sequence[str]) -> Iterator[None]:
    """Requeue a task for each id alone when it fails for many, so that only bad ids give up.

    Args:
        argument: the task's only argument, by its name: the ids it works on.
    """
    ((name, ids),) = argument.items()
    try:
        yield
    except Exception as problem:
        if _is_database_failure(problem) or len(ids) == 1:
            raise
        log.warning(
            "%s failed for %d items at once (%s); requeued one by one",
            task.name,
            len(ids),
            type(problem).__name__,
        )
        for item_id in ids:
            task.enqueue(**{name: [item_id]})


def _is_database_failure(problem: Exception) -> bool:
    code = getattr(problem.__cause__, "sqlstate", None) or ""
    return isinstance(problem, DATABASE_ERRORS) and not code.startswith(RESOURCE_LIMIT_SQLSTATES)

"""Working on many at once, where a poisoned one harms no other."""

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
)  # the database is away, or another was in the way
RESOURCE_LIMIT_SQLSTATES = (
    "53",
    "54",
)  # but for these classes of SQLSTATE: a row wants more than there is


def run_batch[T, R](
    act: Callable[[Sequence[T]], Sequence[R]],
    items: Sequence[T],
    *,
    on_failure: Callable[[T, Exception], None],
) -> list[R]:
    """Do `act` for all of `items`; if it fails, for each alone, and put the failing `aside`.

    What `act` does before it fails must come undone. What the database is to blame for rises.
    """
    try:
        return list(act(items)) if items else []
    except Exception as problem:  # the edge: one poisoned row must not stop the rest
        if _is_database_failure(problem):
            raise
        if len(items) == 1:
            on_failure(items[0], problem)
            return []
    return [done for item in items for done in run_batch(act, [item], on_failure=on_failure)]


def run_concurrently[T, R](act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do `act` for all of `items` in the same moment. For calls to others, not for rows of ours."""
    if len(items) < 2:
        return [act(item) for item in items]
    ours = [copy_context() for _ in items]  # what they log is of the same request
    with ThreadPoolExecutor(len(items), thread_name_prefix="at-once") as pool:
        return list(pool.map(lambda context, one: context.run(act, one), ours, items))


@contextmanager
def requeue_individually(task: Any, **many: Sequence[str]) -> Iterator[None]:
    """What fails for many is queued again for each alone, where a poisoned one gives up alone.

    Args:
        many: the task's one argument, by its name: the ids it works on.
    """
    ((name, ids),) = many.items()
    try:
        yield
    except Exception as problem:
        if _is_database_failure(problem) or len(ids) == 1:
            raise
        log.warning("%s of %d at once: %s; now one by one", task.name, len(ids), type(problem))
        for one in ids:
            task.enqueue(**{name: [one]})


def _is_database_failure(problem: Exception) -> bool:
    code = getattr(problem.__cause__, "sqlstate", None) or ""
    return isinstance(problem, DATABASE_ERRORS) and not code.startswith(RESOURCE_LIMIT_SQLSTATES)

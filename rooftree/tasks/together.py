"""Working on many at once, where a poisoned one harms no other."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from django.db import InterfaceError, OperationalError

log = logging.getLogger(__name__)
LOST = (InterfaceError, OperationalError)  # the database is away, or another was in the way
TOO_MUCH = ("53", "54")  # but for these classes of SQLSTATE: a row wants more than there is


def together[T, R](
    act: Callable[[Sequence[T]], Sequence[R]],
    items: Sequence[T],
    *,
    aside: Callable[[T, Exception], None],
) -> list[R]:
    """Do `act` for all of `items`; if it fails, for each alone, and put the failing `aside`.

    What `act` does before it fails must come undone. What the database is to blame for rises.
    """
    try:
        return list(act(items)) if items else []
    except Exception as problem:  # the edge: one poisoned row must not stop the rest
        if _is_lost(problem):
            raise
        if len(items) == 1:
            aside(items[0], problem)
            return []
    return [done for one in items for done in together(act, [one], aside=aside)]


def at_once[T, R](act: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do `act` for all of `items` in the same moment. For calls to others, not for rows of ours."""
    if len(items) < 2:
        return [act(one) for one in items]
    ours = [copy_context() for _ in items]  # what they log is of the same request
    with ThreadPoolExecutor(len(items), thread_name_prefix="at-once") as pool:
        return list(pool.map(lambda context, one: context.run(act, one), ours, items))


@contextmanager
def apart(task: Any, **many: Sequence[str]) -> Iterator[None]:
    """What fails for many is queued again for each alone, where a poisoned one gives up alone.

    Args:
        many: the task's one argument, by its name: the ids it works on.
    """
    ((name, ids),) = many.items()
    try:
        yield
    except Exception as problem:
        if _is_lost(problem) or len(ids) == 1:
            raise
        log.warning("%s of %d at once: %s; now one by one", task.name, len(ids), type(problem))
        for one in ids:
            task.enqueue(**{name: [one]})


def _is_lost(problem: Exception) -> bool:
    code = getattr(problem.__cause__, "sqlstate", None) or ""
    return isinstance(problem, LOST) and not code.startswith(TOO_MUCH)

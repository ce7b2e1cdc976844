"""One attempt at a task, and what each kind of failure means for the next."""

import random
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import close_old_connections, connections
from django.tasks import task_backends

from rooftree.core.failures import Failure, Misconfigured, Refused, TryLater, Uncertain
from rooftree.tasks import names

LONGEST_WAIT = 300  # seconds between two attempts
PATIENCE = timedelta(days=1)  # how long a vendor may say "later" before a person must look


class Discard(Exception):
    """There is nothing left to do: the row is closed, and nobody needs to look."""


class Later(Exception):
    """Not yet: run again after `seconds`, without using up an attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} seconds")
        self.seconds = seconds


class Next(StrEnum):
    """What becomes of the row."""

    DONE = "done"
    CLOSED = "closed"  # nothing to do any more
    WAIT = "wait"  # again later, without using up an attempt
    RETRY = "retry"  # again later, until the attempts are used up
    DEAD = "dead"  # a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to.

    `why` is fit to store and to show: it never carries the text of an
    exception that is not ours, because that may quote a person's data.
    """

    next: Next
    why: str = ""
    seconds: float = 0


def attempt(args: Mapping[str, Any], *, tried: int, age: timedelta) -> Outcome:
    """Run the task that a row names, in this thread, and judge how it ended.

    Args:
        args: the row's arguments: task, args, kwargs.
        tried: how often it has been tried before, waits included.
        age: how long ago the row was written.
    """
    close_old_connections()
    try:
        run(args)
    except Exception as problem:  # the edge: whatever a task raises ends here
        return judged(problem, tried=tried, age=age)
    finally:
        _leave_connections_clean()
    return Outcome(next=Next.DONE)


def run(args: Mapping[str, Any]) -> None:
    """Call the function that a row names; whatever it raises rises."""
    packages = task_backends["default"].options.get("TASKS_BELOW", [])
    names.find(args["task"], below=packages)(*args["args"], **args["kwargs"])


def judged(problem: Exception, *, tried: int, age: timedelta) -> Outcome:
    """What follows from `problem`.

    A refusal and a wrong setting are not tried again, since the same would
    come back. What may have been carried out is never repeated unseen. "Try
    later" waits as long as the other side asked, for a day at most. All else
    is a bug of ours, tried again in case the moment was to blame.
    """
    match problem:
        case Discard():
            return Outcome(next=Next.CLOSED, why=str(problem))
        case Later(seconds=seconds):
            return Outcome(next=Next.WAIT, why=str(problem), seconds=seconds)
        case TryLater(after=after) if age < PATIENCE:
            return Outcome(
                next=Next.WAIT,
                why=_shown(problem),
                seconds=wait_after(tried) if after is None else after,
            )
        case Refused() | Misconfigured() | Uncertain() | TryLater() | names.UnknownTask():
            return Outcome(next=Next.DEAD, why=_shown(problem))
    return Outcome(next=Next.RETRY, why=_shown(problem), seconds=wait_after(tried))


def wait_after(tried: int) -> float:
    """Seconds until the next attempt: doubling, spread so that crowds do not return at once."""
    longest = min(2.0 ** min(tried + 1, 12), LONGEST_WAIT)
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)


def _shown(problem: Exception) -> str:
    kind = type(problem).__name__
    if isinstance(problem, Failure | names.UnknownTask):
        return f"{kind}: {' '.join(str(problem).split())}"
    frames = traceback.extract_tb(problem.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} ({_short(frame.filename)}:{frame.lineno})" for frame in reversed(frames)
    )
    return f"{kind} in {places}"


def _short(path: str) -> str:
    return "/".join(path.rsplit("/", 3)[-3:])


def _leave_connections_clean() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            connection.close()
    close_old_connections()

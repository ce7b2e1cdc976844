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

from rooftree.core.vendor_errors import (
    Misconfigured,
    OutcomeUnknown,
    RequestRejected,
    RetryLater,
    VendorError,
)
from rooftree.tasks import task_registry

MAX_BACKOFF_SECONDS = 300  # seconds between two attempts
MAX_RETRY_LATER_AGE = timedelta(
    days=1
)  # how long a vendor may say "later" before a person must look


class DiscardTask(Exception):
    """There is nothing left to do: the row is closed, and nobody needs to look."""


class PostponeTask(Exception):
    """Not yet: run again after `seconds`, without using up an attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} seconds")
        self.seconds = seconds


class NextStep(StrEnum):
    """What becomes of the row."""

    DONE = "done"
    CLOSED = "closed"  # nothing to do any more
    WAIT = "wait"  # again later, without using up an attempt
    RETRY = "retry"  # again later, until the attempts are used up
    DEAD = "dead"  # a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutcome:
    """What one attempt came to.

    `why` is fit to store and to show: it never carries the text of an
    exception that is not ours, because that may quote a person's data.
    """

    next_step: NextStep
    reason: str = ""
    seconds: float = 0


def run_attempt(
    args: Mapping[str, Any], *, previous_attempts: int, age: timedelta
) -> AttemptOutcome:
    """Run the task that a row names, in this thread, and judge how it ended.

    Args:
        args: the row's arguments: task, args, kwargs.
        tried: how often it has been tried before, waits included.
        age: how long ago the row was written.
    """
    close_old_connections()
    try:
        call_task(args)
    except Exception as problem:  # the edge: whatever a task raises ends here
        return classify_failure(problem, tried=previous_attempts, age=age)
    finally:
        _close_dirty_connections()
    return AttemptOutcome(next_step=NextStep.DONE)


def call_task(args: Mapping[str, Any]) -> None:
    """Call the function that a row names; whatever it raises rises."""
    packages = task_backends["default"].options.get("TASKS_BELOW", [])
    task_registry.find_task(args["task"], below=packages)(*args["args"], **args["kwargs"])


def classify_failure(problem: Exception, *, tried: int, age: timedelta) -> AttemptOutcome:
    """What follows from `problem`.

    A refusal and a wrong setting are not tried again, since the same would
    come back. What may have been carried out is never repeated unseen. "Try
    later" waits as long as the other side asked, for a day at most. All else
    is a bug of ours, tried again in case the moment was to blame.
    """
    match problem:
        case DiscardTask():
            return AttemptOutcome(next_step=NextStep.CLOSED, reason=str(problem))
        case PostponeTask(seconds=seconds):
            return AttemptOutcome(next_step=NextStep.WAIT, reason=str(problem), seconds=seconds)
        case RetryLater(retry_after_seconds=after) if age < MAX_RETRY_LATER_AGE:
            return AttemptOutcome(
                next_step=NextStep.WAIT,
                reason=_describe_failure(problem),
                seconds=backoff_seconds(tried) if after is None else after,
            )
        case (
            RequestRejected()
            | Misconfigured()
            | OutcomeUnknown()
            | RetryLater()
            | task_registry.UnknownTask()
        ):
            return AttemptOutcome(next_step=NextStep.DEAD, reason=_describe_failure(problem))
    return AttemptOutcome(
        next_step=NextStep.RETRY, reason=_describe_failure(problem), seconds=backoff_seconds(tried)
    )


def backoff_seconds(tried: int) -> float:
    """Seconds until the next attempt: doubling, spread so that crowds do not return at once."""
    longest = min(2.0 ** min(tried + 1, 12), MAX_BACKOFF_SECONDS)
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)


def _describe_failure(problem: Exception) -> str:
    kind = type(problem).__name__
    if isinstance(problem, VendorError | task_registry.UnknownTask):
        return f"{kind}: {' '.join(str(problem).split())}"
    frames = traceback.extract_tb(problem.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} ({_short_path(frame.filename)}:{frame.lineno})" for frame in reversed(frames)
    )
    return f"{kind} in {places}"


def _short_path(path: str) -> str:
    return "/".join(path.rsplit("/", 3)[-3:])


def _close_dirty_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            connection.close()
    close_old_connections()

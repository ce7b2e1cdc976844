"""Run one attempt of a task, and decide the next step by the kind of failure."""

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
MAX_RETRY_LATER_AGE = timedelta(days=1)  # how long a vendor can defer before a person must look


class DiscardTask(Exception):
    """Raised by a task with nothing left to do: the row is closed and needs no attention."""


class PostponeTask(Exception):
    """Raised by a task to run again after `seconds`, without using up an attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} seconds")
        self.seconds = seconds


class NextStep(StrEnum):
    """The next step for the row of a task."""

    DONE = "done"
    CLOSED = "closed"  # nothing left to do
    WAIT = "wait"  # again later, without using up an attempt
    RETRY = "retry"  # again later, until the attempts are used up
    DEAD = "dead"  # a person must look


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutcome:
    """The outcome of one attempt.

    `reason` is fit to store and to show: it never includes the text of an exception that is not
    ours, because that can contain personal data.
    """

    next_step: NextStep
    reason: str = ""
    seconds: float = 0


def run_attempt(
    args: Mapping[str, Any], *, previous_attempts: int, age: timedelta
) -> AttemptOutcome:
    """Run the task that a row names, in this thread, and return its outcome.

    Args:
        args: the row's arguments: task, args, kwargs.
        previous_attempts: how often the task was tried before, postponed attempts included.
        age: how long ago the row was inserted.
    """
    close_old_connections()
    try:
        call_task(args)
    except Exception as problem:  # every exception of a task ends here
        return classify_failure(problem, previous_attempts=previous_attempts, age=age)
    finally:
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block:
                connection.close()
        close_old_connections()
    return AttemptOutcome(next_step=NextStep.DONE)


def call_task(args: Mapping[str, Any]) -> None:
    """Call the function that a row names; its exceptions are raised to the caller."""
    packages = task_backends["default"].options.get("TASKS_BELOW", [])
    task_registry.find_task(args["task"], below=packages)(*args["args"], **args["kwargs"])


def classify_failure(
    problem: Exception, *, previous_attempts: int, age: timedelta
) -> AttemptOutcome:
    """Decide the next step after a failure.

    A rejected request and a wrong setting are not retried, since the result would be the same.
    A request that may have been carried out is never repeated without a person. `RetryLater`
    waits as long as the vendor asked, for at most a day in all. Everything else is our bug,
    retried in case it was transient.
    """
    backoff = backoff_seconds(previous_attempts)
    match problem:
        case DiscardTask():
            return AttemptOutcome(next_step=NextStep.CLOSED, reason=str(problem))
        case PostponeTask(seconds=seconds):
            return AttemptOutcome(next_step=NextStep.WAIT, reason=str(problem), seconds=seconds)
        case RetryLater(retry_after_seconds=vendor_wait) if age < MAX_RETRY_LATER_AGE:
            return AttemptOutcome(
                next_step=NextStep.WAIT,
                reason=_describe_failure(problem),
                seconds=backoff if vendor_wait is None else vendor_wait,
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
        next_step=NextStep.RETRY, reason=_describe_failure(problem), seconds=backoff
    )


def backoff_seconds(previous_attempts: int) -> float:
    """Return the seconds until the next attempt: doubling, with jitter to spread the load."""
    longest = min(2.0 ** min(previous_attempts + 1, 12), MAX_BACKOFF_SECONDS)
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)


def _describe_failure(problem: Exception) -> str:
    kind = type(problem).__name__
    if isinstance(problem, VendorError | task_registry.UnknownTask):
        return f"{kind}: {' '.join(str(problem).split())}"
    frames = traceback.extract_tb(problem.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} ({'/'.join(frame.filename.rsplit('/', 3)[-3:])}:{frame.lineno})"
        for frame in reversed(frames)
    )
    return f"{kind} in {places}"

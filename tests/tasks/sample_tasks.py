"""Sample tasks for the queue tests; they write rows, by which the tests see what ran."""

import time

from django.db import connection
from django.tasks import task

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.tasks.task_attempt import DiscardTask, PostponeTask

FAILURES = {
    "refused": RequestRejected("no such number"),
    "misconfigured": Misconfigured("the account has no number"),
    "uncertain": OutcomeUnknown("the line went dead"),
    "try_later": RetryLater("busy", retry_after_seconds=1),
    "discard": DiscardTask("already done"),
    "later": PostponeTask(1),
    "bug": ValueError("Ben Ortiz +13055550123"),
}


def note(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists task_notes (at timestamptz, text text)")
        cursor.execute("insert into task_notes values (clock_timestamp(), %s)", [text])


@task(queue_name="now")
def write_down(*, text: str) -> None:
    note(text)


@task(queue_name="soon", priority=100)
def write_down_first(*, text: str) -> None:
    note(text)


@task(queue_name="now", max_attempts=2)
def fail(*, failure: str) -> None:
    raise FAILURES[failure]


@task(queue_name="now")
def fail_once_then_write(*, failure: str, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from task_notes where text = 'tried'")
        tried = cursor.fetchone()[0]
    if not tried:
        note("tried")
        raise FAILURES[failure]
    note(text)


@task(queue_name="now")
def take_a_while(*, seconds: float, text: str) -> None:
    note(f"began {text}")
    time.sleep(seconds)
    note(text)


@task(queue_name="now", task_name="an_older_name")
def renamed(*, text: str) -> None:
    note(text)


@task(queue_name="night")
def write_then_queue(*, text: str) -> None:
    note(text)
    write_down.enqueue(text=f"after {text}")

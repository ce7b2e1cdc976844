"""The tasks that `bench_queues.py` runs on both queues."""

import os
import time
from pathlib import Path

from django.tasks import task

SLOW_SECONDS = 120


def do_nothing_at_all() -> None:
    """Return at once."""


def write_start(number: int) -> None:
    """Append the number and the time to the file of starts."""
    with Path(os.environ["BENCH_STARTS"]).open("a") as file:
        file.write(f"{number} {time.time()}\n")


def write_start_and_hang(number: int) -> None:
    """Do as `write_start`; the first attempt then never returns."""
    starts = Path(os.environ["BENCH_STARTS"])
    is_first = not starts.exists() or f"{number} " not in starts.read_text()
    write_start(number)
    if is_first:
        time.sleep(SLOW_SECONDS)


@task(queue_name="now")
def do_nothing() -> None:
    do_nothing_at_all()


@task(queue_name="now")
def note_start(*, number: int) -> None:
    write_start(number)


@task(queue_name="now")
def hang_once(*, number: int) -> None:
    write_start_and_hang(number)

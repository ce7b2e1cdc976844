"""The loop of `rooftree clock`: runs each periodic job on time, independent of the others."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import psycopg
from django.db import close_old_connections, connections

from rooftree.tasks.dsn import database_dsn

DUE_CHANNEL = "rooftree_due"  # a NOTIFY on it means that something is due now
URGENT_INTERVAL = 5.0  # seconds; jobs with at most this interval run right away on such a notice
SCHEDULER_THREADS = 4
CLOCK_TOLERANCE = timedelta(
    seconds=2
)  # accepted difference between this machine's time and the database's
MAX_RETRY_SECONDS = 60.0  # seconds between two attempts of a job that keeps failing
log = logging.getLogger("rooftree.clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicJob:
    """One periodic job.

    `run` gets the current time; it processes a batch of what is due, claims its rows with
    SKIP LOCKED (several clocks can run) and keeps no state of its own.
    """

    name: str
    interval_seconds: float
    run: Callable[[datetime], object]


@dataclass(slots=True)
class _JobState:
    job: PeriodicJob
    due: float = 0.0
    is_running: bool = False
    failures: int = 0
    last_error: str = field(default="", repr=False)


class Scheduler:
    """Runs periodic jobs until `stop`; a slow job does not delay the others."""

    def __init__(self, jobs: Sequence[PeriodicJob]) -> None:
        self._states = [_JobState(job) for job in jobs]
        self._changed = threading.Condition()
        self._stopped = False
        self._clock_offset = timedelta()  # added to this machine's time
        self._pool = ThreadPoolExecutor(SCHEDULER_THREADS, thread_name_prefix="clock")

    def run(self) -> None:
        """Run jobs until `stop` is called, then finish the running ones."""
        self._sync_clock_at_start()
        threading.Thread(target=self._listen_for_notices, name="clock-listen", daemon=True).start()
        while not self._stopped:
            with self._changed:
                self._start_due()
                next_due = [state.due for state in self._states if not state.is_running]
                wait = min(next_due, default=inf) - time.monotonic()
                self._changed.wait(min(0.5, max(0.01, wait)))
        self._pool.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """Ask the loop to end; safe to call from a signal handler or another thread."""
        self._stopped = True

    def run_urgent_now(self) -> None:
        """Run the jobs with a short interval now, except those that keep failing."""
        with self._changed:
            for state in self._states:
                if state.job.interval_seconds <= URGENT_INTERVAL and not state.failures:
                    state.due = 0.0
            self._changed.notify()

    def _start_due(self) -> None:
        at = time.monotonic()
        for state in self._states:
            if state.due <= at and not state.is_running:
                state.is_running = True
                state.due = at + state.job.interval_seconds
                self._pool.submit(self._run_job, state)

    def _run_job(self, state: _JobState) -> None:
        close_old_connections()
        try:
            state.job.run(datetime.now(UTC) + self._clock_offset)
        except Exception as problem:  # one job's bug must not stop the others
            self._record_failure(state, problem)
        else:
            if state.failures:
                log.info("%s works again", state.job.name)
            state.failures, state.last_error = 0, ""
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.in_atomic_block:
                    connection.close()
            close_old_connections()
            with self._changed:
                state.is_running = False
                self._changed.notify()

    def _record_failure(self, state: _JobState, problem: Exception) -> None:
        """Back off exponentially, and log each kind of error once instead of every second."""
        state.failures += 1
        wait = min(
            state.job.interval_seconds * 2**state.failures,
            max(MAX_RETRY_SECONDS, state.job.interval_seconds),
        )
        state.due = time.monotonic() + wait
        kind = type(problem).__name__
        if kind != state.last_error:
            state.last_error = kind
            trace = problem.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
            log.error("%s failed: %s at %s; retrying", state.job.name, kind, place)

    def _sync_clock_at_start(self) -> None:
        try:
            with psycopg.connect(database_dsn(), autocommit=True) as connection:
                self._sync_clock(connection)
        except psycopg.Error:
            log.info("can't read the database's time yet")

    def _sync_clock(self, connection: "psycopg.Connection[Any]") -> None:
        """Adopt the database's time when this machine's differs, so that all clocks agree.

        A clock that runs ahead would end offers early, and could give up on a carrier search
        that lags.
        """
        before = datetime.now(UTC)
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        offset = row[0] - (before + (datetime.now(UTC) - before) / 2)
        if abs(offset) < CLOCK_TOLERANCE:
            offset = timedelta()
        if abs(offset - self._clock_offset) > CLOCK_TOLERANCE:
            log.warning(
                "this machine's time differs from the database's by %.0f s; using the database's",
                -offset.total_seconds(),
            )
        self._clock_offset = offset

    def _listen_for_notices(self) -> None:
        while not self._stopped:
            try:
                # `rooftree doctor` and the metrics recognize a running clock by this name.
                with psycopg.connect(
                    database_dsn(), autocommit=True, application_name="rooftree clock"
                ) as connection:
                    connection.execute(f"listen {DUE_CHANNEL}")
                    while not self._stopped:
                        self._sync_clock(connection)
                        for _ in connection.notifies(timeout=5, stop_after=1):
                            self.run_urgent_now()
            except psycopg.Error:
                time.sleep(1)

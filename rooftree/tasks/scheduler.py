"""The loop under the promise clock: what is periodic runs on time, whatever its neighbours do."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import close_old_connections, connections

from rooftree.tasks.dsn import database_dsn

DUE_CHANNEL = "rooftree_due"  # NOTIFY on it says: something is due now, do not wait for the second
URGENT_INTERVAL = 5.0  # seconds; what runs at least this often is run at once on such a notice
SCHEDULER_THREADS = 4
CLOCK_TOLERANCE = timedelta(
    seconds=2
)  # by which this machine's time may differ from the database's
MAX_RETRY_SECONDS = 60.0  # seconds between two tries of what keeps failing
log = logging.getLogger("rooftree.clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicJob:
    """One piece of periodic work.

    `run` gets the moment; it does a batch of what is due, claims its rows with
    SKIP LOCKED (several clocks may run) and keeps no state of its own.
    `every` is in seconds.
    """

    name: str
    interval_seconds: float
    run: Callable[[datetime], object]


@dataclass(slots=True)
class _JobState:
    tick: PeriodicJob
    due: float = 0.0
    running: bool = False
    failures: int = 0
    last_error: str = field(default="", repr=False)


class Scheduler:
    """Runs ticks until `stop`; each in its turn, none holding up another."""

    def __init__(self, ticks: Sequence[PeriodicJob]) -> None:
        self._turns = [_JobState(tick) for tick in ticks]
        self._changed = threading.Condition()
        self._stopped = False
        self._clock_offset = timedelta()  # what is added to this machine's time
        self._build_pool = ThreadPoolExecutor(SCHEDULER_THREADS, thread_name_prefix="clock")

    def run(self) -> None:
        """Tick until `stop` is called from a signal or another thread, then finish what runs."""
        self._sync_clock_at_start()
        threading.Thread(target=self._listen_for_notices, name="clock-listen", daemon=True).start()
        while not self._stopped:
            with self._changed:
                self._start_due()
                self._changed.wait(min(0.5, self._seconds_until_next()))
        self._build_pool.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """Ask the loop to end; safe to call from a signal handler."""
        self._stopped = True

    def run_urgent_now(self) -> None:
        """Run what is urgent now."""
        with self._changed:
            for turn in self._turns:
                if turn.tick.interval_seconds <= URGENT_INTERVAL and not turn.failures:
                    turn.due = 0.0
            self._changed.notify()

    def _start_due(self) -> None:
        at = time.monotonic()
        for turn in self._turns:
            if turn.due <= at and not turn.running:
                turn.running = True
                turn.due = at + turn.tick.interval_seconds
                self._build_pool.submit(self._run_job, turn)

    def _seconds_until_next(self) -> float:
        waiting = [turn.due for turn in self._turns if not turn.running]
        return max(0.01, min(waiting, default=0.5) - time.monotonic())

    def _run_job(self, turn: _JobState) -> None:
        close_old_connections()
        try:
            turn.tick.run(datetime.now(UTC) + self._clock_offset)
        except Exception as problem:  # the edge: one tick's bug must not stop the others
            self._record_failure(turn, problem)
        else:
            if turn.failures:
                log.info("%s works again", turn.tick.name)
            turn.failures, turn.last_error = 0, ""
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.in_atomic_block:
                    connection.close()
            close_old_connections()
            with self._changed:
                turn.running = False
                self._changed.notify()

    def _record_failure(self, turn: _JobState, problem: Exception) -> None:
        """Say it once, not every second; try again ever more slowly."""
        turn.failures += 1
        wait = min(
            turn.tick.interval_seconds * 2**turn.failures,
            max(MAX_RETRY_SECONDS, turn.tick.interval_seconds),
        )
        turn.due = time.monotonic() + wait
        kind = type(problem).__name__
        if kind != turn.last_error:
            turn.last_error = kind
            trace = problem.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
            log.error("%s failed: %s at %s; it is tried again", turn.tick.name, kind, where)

    def _sync_clock_at_start(self) -> None:
        try:
            with psycopg.connect(database_dsn(), autocommit=True) as connection:
                self._sync_clock(connection)
        except psycopg.Error:
            log.info("the database does not say the time yet")

    def _sync_clock(self, connection: "psycopg.Connection[Any]") -> None:
        """Go by the database's time where this machine's differs: all clocks share that one.

        A clock that is ahead would end offers early, and conclude from a search that
        lags what only time can show.
        """
        before = datetime.now(UTC)
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        off_by = row[0] - (before + (datetime.now(UTC) - before) / 2)
        if abs(off_by) < CLOCK_TOLERANCE:
            off_by = timedelta()
        if abs(off_by - self._clock_offset) > CLOCK_TOLERANCE:
            log.warning(
                "this machine's time differs from the database's by %.0f s; the database's counts",
                -off_by.total_seconds(),
            )
        self._clock_offset = off_by

    def _listen_for_notices(self) -> None:
        while not self._stopped:
            try:
                # By this name the database tells others that a clock lives.
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

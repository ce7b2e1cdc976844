"""Simulated time: one clock for all vendors, and the jobs scheduled on it."""

import heapq
import itertools
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_IDLE_SECONDS = 0.2  # how long the runner sleeps when nothing is due; a new job wakes it


def parse_duration(duration: str) -> float:
    """Return the length of an ISO 8601 duration of days and smaller units, in seconds.

    Raises `ValueError` for anything else, months and years included.
    """
    match = _DURATION.fullmatch(duration)
    if not match or not any(match.groups()):
        raise ValueError(f"not an ISO duration: {duration}")
    parts = {unit: float(value) for unit, value in match.groupdict().items() if value}
    return timedelta(**parts).total_seconds()


class SimulatedClock:
    """A clock that can run faster than real time, stand still, or jump.

    While frozen, the clock moves and runs jobs only in `advance`, so a test knows
    exactly which jobs have run.
    """

    def __init__(self, *, at: datetime | None = None, speed: float = 1.0) -> None:
        self._base = at or datetime.now(UTC)
        self._real = time.monotonic()
        self._speed = speed
        self._jobs: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition(threading.RLock())
        self._advance_turn = threading.Lock()
        self._is_advancing = False
        self._running = 0
        self._stopped = False
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="sim-job")
        self._thread = threading.Thread(target=self._run, name="sim-clock", daemon=True)
        self._thread.start()

    def now(self) -> datetime:
        """Return the simulated time, aware, in UTC."""
        with self._changed:
            passed = (time.monotonic() - self._real) * self._speed
            return self._base + timedelta(seconds=passed)

    @property
    def speed(self) -> float:
        """Simulated seconds in one real second; 0 is frozen."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on; 0 freezes."""
        if speed < 0:
            raise ValueError("speed cannot be negative")
        with self._changed:
            self._set_time(self.now(), speed)

    def jump_to(self, at: datetime) -> None:
        """Set the time without running the jobs that fall due; only for a reset."""
        with self._changed:
            self._set_time(at, self._speed)

    def schedule_job(self, seconds: float, job: Callable[[], None]) -> None:
        """Run `job` once, `seconds` of simulated time from now."""
        with self._changed:
            due = self.now() + timedelta(seconds=seconds)
            heapq.heappush(self._jobs, (due, next(self._order), job))
            self._changed.notify_all()

    def run_process(self, steps: Iterator[float], *, after: float = 0.0) -> None:
        """Run a generator that yields the simulated seconds it wants to wait."""

        def step() -> None:
            wait = next(steps, None)
            if wait is not None:
                self.schedule_job(wait, step)

        self.schedule_job(after, step)

    def advance(self, seconds: float) -> datetime:
        """Move forward, running every job that falls due, in order, before returning."""
        with self._advance_turn:
            with self._changed:
                self._is_advancing = True
                self._changed.wait_for(lambda: self._running == 0)
                speed = self._speed
                target = self.now() + timedelta(seconds=seconds)
                self._set_time(self.now(), 0)
            try:
                while (job := self._pop_job_until(target)) is not None:
                    job()
            finally:
                with self._changed:
                    self._set_time(target, speed)
                    self._is_advancing = False
                    self._changed.notify_all()
            return target

    def clear_jobs(self) -> None:
        """Drop all waiting jobs."""
        with self._changed:
            self._jobs.clear()

    def stop(self) -> None:
        """Stop the runner and drop waiting jobs."""
        with self._changed:
            self._stopped = True
            self._jobs.clear()
            self._changed.notify_all()
        self._thread.join(timeout=2)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _set_time(self, base: datetime, speed: float) -> None:
        with self._changed:
            self._base, self._real, self._speed = base, time.monotonic(), speed
            self._changed.notify_all()

    def _pop_job_until(self, target: datetime) -> Callable[[], None] | None:
        with self._changed:
            if not self._jobs or self._jobs[0][0] > target:
                return None
            due, _, job = heapq.heappop(self._jobs)
            self._set_time(max(due, self._base), 0)
            return job

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                if self._is_advancing or not self._speed or not self._jobs:
                    self._changed.wait(_IDLE_SECONDS if not self._is_advancing else None)
                    continue
                wait = (self._jobs[0][0] - self.now()).total_seconds() / self._speed
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                job = heapq.heappop(self._jobs)[2]
                self._running += 1
            self._pool.submit(self._run_job, job)

    def _run_job(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:  # a broken job must be visible and must not stop the clock
            traceback.print_exc()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

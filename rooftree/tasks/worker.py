"""The worker process: one Oban, whose jobs are Django tasks run in threads."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings
from oban import Cancel, Oban, Snooze, worker
from oban.job import Job
from psycopg_pool import AsyncConnectionPool

from rooftree.core.log_formatting import request_id
from rooftree.db.connection_check import is_known_alive
from rooftree.tasks.dsn import database_dsn
from rooftree.tasks.task_attempt import AttemptOutcome, NextStep, run_attempt

SHUTDOWN_GRACE = 15.0  # seconds that running tasks get after a stop; batches take 2 to 3
POOL_TIMEOUT = 4.0  # seconds to wait for a connection; while the database is down, loops retry
NEVER_SECONDS = (
    100 * 365 * 86400
)  # switches off Oban's own rescue and pruning: see orphaned_jobs.py
log = logging.getLogger(__name__)
_thread_pools: dict[str, ThreadPoolExecutor] = {}


class Failed(Exception):
    """An attempt that did not succeed; the text is the outcome's reason."""


@worker(queue="now")
class Run:
    """The Oban worker that runs every row; the only asynchronous code around tasks."""

    async def process(self, job: Job) -> Any:
        """Run the task in a thread of its queue and return the next step to Oban."""
        outcome = await asyncio.get_running_loop().run_in_executor(
            _thread_pool(job.queue), _run_job, job
        )
        return _oban_result(job, outcome)

    def backoff(self, job: Job) -> int:
        """Return the seconds until the next attempt after a failure."""
        return max(1, round(float(job.extra["wait"])))


async def run_worker(stop: asyncio.Event) -> None:
    """Run tasks of all queues until `stop` is set, then finish the running ones."""
    limits: dict[str, int | dict[str, Any]] = {**settings.TASK_THREADS}
    pool = AsyncConnectionPool(
        database_dsn(),
        min_size=1,
        max_size=len(limits) + 3,
        open=False,
        timeout=POOL_TIMEOUT,
        check=_check_connection,
    )
    await pool.open(wait=True, timeout=30)
    async with pool:
        oban = Oban(
            pool=pool,
            queues=limits,
            lifeline={"rescue_after": NEVER_SECONDS},
            pruner={"max_age": NEVER_SECONDS},
            refresher={"interval": 2, "max_age": 10},
            shutdown_grace_period=SHUTDOWN_GRACE,
        )
        await oban.start()
        await stop.wait()
        # Oban's own heartbeat stops first; without ours, a task that finishes in the last
        # seconds would be requeued and run twice.
        heartbeat = asyncio.create_task(_send_heartbeats(pool, oban._node))
        with suppress(TimeoutError):  # without a database Oban would retry forever
            await asyncio.wait_for(oban.stop(), SHUTDOWN_GRACE + 2)
        heartbeat.cancel()
        with suppress(asyncio.CancelledError):
            await heartbeat


async def _check_connection(connection: psycopg.AsyncConnection[Any]) -> None:
    """Check a connection before the pool hands it out; raises when it is dead."""
    if not is_known_alive(connection):
        await AsyncConnectionPool.check_connection(connection)


def _thread_pool(queue: str) -> ThreadPoolExecutor:
    """Return the queue's pool: one thread for each running task, so that none waits for one."""
    if queue not in _thread_pools:
        number = settings.TASK_THREADS.get(queue, 1)
        _thread_pools[queue] = ThreadPoolExecutor(number, thread_name_prefix=f"tasks-{queue}")
    return _thread_pools[queue]


def _run_job(job: Job) -> AttemptOutcome:
    """Run a job with the id of the request that queued it, or the row's own, in logs and tasks."""
    request_id.set(str((job.meta or {}).get("request") or f"row-{job.id}"))
    inserted_at = job.inserted_at or datetime.now(UTC)
    if inserted_at.tzinfo is None:
        inserted_at = inserted_at.replace(tzinfo=UTC)
    attempts = job.attempt - 1 + int((job.meta or {}).get("snoozed", 0))
    return run_attempt(job.args, previous_attempts=attempts, age=datetime.now(UTC) - inserted_at)


def _oban_result(job: Job, outcome: AttemptOutcome) -> Any:
    if outcome.next_step is NextStep.DONE:
        return None
    name = job.args.get("task", "?") if isinstance(job.args, dict) else "?"
    if outcome.next_step is NextStep.CLOSED:
        return Cancel(outcome.reason)
    if outcome.next_step is NextStep.WAIT:
        log.info(
            "task %s (row %s, %s) postponed: %s", name, job.id, _request_label(job), outcome.reason
        )
        return Snooze(max(1, round(outcome.seconds)), {"waits_for": outcome.reason})
    log.warning(
        "task %s (row %s, %s) failed: %s", name, job.id, _request_label(job), outcome.reason
    )
    if outcome.next_step is NextStep.DEAD:
        job.max_attempts = job.attempt  # Oban discards a row without attempts left
    job.extra = {**(job.extra or {}), "wait": outcome.seconds}
    raise Failed(outcome.reason) from None


def _request_label(job: Job) -> str:
    request = (job.meta or {}).get("request")
    return f"request {request}" if request else "no request"


async def _send_heartbeats(pool: AsyncConnectionPool[Any], node: str) -> None:
    heartbeat_sql = "update oban_producers set updated_at = timezone('UTC', now()) where node = %s"
    while True:
        with suppress(psycopg.Error):
            async with pool.connection() as connection:
                await connection.execute(heartbeat_sql, [node])
        await asyncio.sleep(1)

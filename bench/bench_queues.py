"""Our task queue, on Oban, beside procrastinate: the same jobs in the same database, in turn.

procrastinate is no dependency. Without it, only ours is measured: install it with its own
dependencies into a folder, and put that on PYTHONPATH.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from measurements import latency_summary, parse_options, report_results
from temp_installation import Installation, open_installation, python_command

SIZES = {
    "jobs": (2_000, "jobs that do nothing"),
    "singles": (200, "jobs enqueued one by one, for the latency"),
    "idle": (30, "seconds without a job"),
}
NO_PEER_MESSAGE = "procrastinate is not installed, so only our own queue is measured."
PACE = 0.03  # seconds between two single jobs
DEAD_AFTER_SECONDS = 6.0
PATIENCE = 120.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue: how to enqueue its tasks, to watch them and to rescue them."""

    name: str
    worker: list[str]  # command line
    enqueue: Callable[[str, dict[str, Any]], object]  # in the transaction of Django's connection
    rescue: Callable[[], object]
    finished_sql: str
    run_sql: str  # first start and last end of the finished jobs, as seconds between


def main() -> None:
    """Measure ours, then the other one if it is there."""
    options = parse_options(__doc__, **SIZES)
    results = {}
    with open_installation() as installation:
        queues = [_make_oban()]
        if find_spec("procrastinate"):
            queues.append(_make_procrastinate(installation))
        else:
            print(NO_PEER_MESSAGE)  # noqa: T201
        for queue in queues:
            results[queue.name] = _measure(queue, installation, options)
    report_results(options, "queues", **results)


def _measure(queue: Queue, installation: Installation, options: Any) -> dict[str, float]:
    starts = installation.home / f"{queue.name}-starts"
    with _worker(queue, installation, starts) as worker:
        queue.enqueue("start", {"number": 0})  # the first one loads the modules of all tasks
        _wait_until(lambda: bool(_read(starts)))
        starts.unlink()
        enqueue_seconds = _time_enqueueing(queue, options.jobs)
        _wait_until(lambda: _query(queue.finished_sql) >= options.jobs)
        run_seconds = _query(queue.run_sql)
        latencies = _time_single_jobs(queue, starts, options.singles)
        statements = _count_idle_transactions(options.idle)
        queue.enqueue("hang", {"number": -1})
        _wait_until(lambda: "-1 " in _read(starts))
        worker.kill()
        killed_at = time.perf_counter()
        worker.wait()
    with _worker(queue, installation, starts):
        _wait_until(lambda: queue.rescue() is not None and _read(starts).count("-1 ") == 2)
        rescue_seconds = time.perf_counter() - killed_at
    summary = latency_summary(latencies)
    return {
        "enqueue_1000_s": round(enqueue_seconds * 1_000 / options.jobs, 2),
        "jobs_per_s": round(options.jobs / float(run_seconds)),
        "start_p50_ms": summary["p50_ms"],
        "start_p95_ms": summary["p95_ms"],
        "idle_transactions_per_min": round(statements * 60 / options.idle),
        "rescue_s": round(rescue_seconds, 1),
    }


def _time_enqueueing(queue: Queue, jobs: int) -> float:
    """Enqueue jobs one by one in one transaction; return the seconds with the commit."""
    from django.db import transaction

    began = time.perf_counter()
    with transaction.atomic():
        for _ in range(jobs):
            queue.enqueue("nothing", {})
    return time.perf_counter() - began


def _time_single_jobs(queue: Queue, starts: Path, count: int) -> list[float]:
    """Return the seconds from each commit to the start of its function."""
    from django.db import transaction

    committed_at = {}
    for number in range(count):
        with transaction.atomic():
            queue.enqueue("start", {"number": number})
        committed_at[number] = time.time()
        time.sleep(PACE)
    _wait_until(lambda: len(_read(starts).splitlines()) >= count)
    lines = (line.split() for line in _read(starts).splitlines())
    return [float(started) - committed_at[int(number)] for number, started in lines]


def _count_idle_transactions(seconds: int) -> int:
    """Return the transactions of the database while no job runs, without our own two."""
    sql = (
        "select xact_commit + xact_rollback from pg_stat_database"
        " where datname = current_database()"
    )
    time.sleep(min(seconds, 12))  # a connection at rest adds its statistics within 10 seconds
    before = _query(sql)
    time.sleep(seconds)
    return max(0, int(_query(sql) - before) - 2)


@contextmanager
def _worker(queue: Queue, installation: Installation, starts: Path) -> Iterator[Any]:
    paths = os.pathsep.join(path for path in sys.path if path)
    with installation.process(queue.worker, BENCH_STARTS=str(starts), PYTHONPATH=paths) as process:
        yield process


def _make_oban() -> Queue:
    import queue_tasks

    from rooftree.tasks.orphaned_jobs import requeue_orphaned_jobs

    tasks = {
        "nothing": queue_tasks.do_nothing,
        "start": queue_tasks.note_start,
        "hang": queue_tasks.hang_once,
    }
    done = "from oban_jobs where state = 'completed' and args ->> 'task' = 'do_nothing'"
    return Queue(
        name="oban",
        worker=python_command("bench/queue_worker.py", "oban"),
        enqueue=lambda name, arguments: tasks[name].enqueue(**arguments),
        rescue=requeue_orphaned_jobs,
        finished_sql=f"select count(*) {done}",
        run_sql=f"select extract(epoch from max(completed_at) - min(attempted_at)) {done}",  # noqa: S608
    )


def _make_procrastinate(installation: Installation) -> Queue:
    import procrastinate
    from asgiref.sync import async_to_sync
    from procrastinate.contrib.django.django_connector import DjangoConnector

    with procrastinate.App(
        connector=procrastinate.SyncPsycopgConnector(conninfo=installation.address)
    ).open() as setup:
        setup.schema_manager.apply_schema()
    app = procrastinate.App(connector=DjangoConnector(), import_paths=[])
    functions = {
        "nothing": "do_nothing_at_all", "start": "write_start", "hang": "write_start_and_hang"
    }  # fmt: skip

    def rescue() -> int:
        stalled = async_to_sync(app.job_manager.get_stalled_jobs)(
            seconds_since_heartbeat=DEAD_AFTER_SECONDS
        )
        for job in stalled:
            app.job_manager.retry_job_by_id(job_id=job.id, retry_at=datetime.now(UTC))
        return len(stalled)

    return Queue(
        name="procrastinate",
        worker=python_command("bench/queue_worker.py", "procrastinate", installation.address),
        enqueue=lambda name, arguments: app.configure_task(functions[name]).defer(**arguments),
        rescue=rescue,
        finished_sql="select count(*) from procrastinate_jobs where status = 'succeeded'"
        " and task_name = 'do_nothing_at_all'",
        run_sql="select extract(epoch from max(at) filter (where type = 'succeeded')"
        " - min(at) filter (where type = 'started')) from procrastinate_events",
    )


def _query(sql: str) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _wait_until(is_done: Callable[[], bool]) -> None:
    began = time.perf_counter()
    while not is_done():
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError("The queue did not finish.")
        time.sleep(0.2)


if __name__ == "__main__":
    main()

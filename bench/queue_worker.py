"""A worker process of one queue: `queue_worker.py oban`, or `procrastinate` and its database."""

import asyncio
import signal
import sys

import django

THREADS = 6  # as TASK_THREADS["now"]
HEARTBEAT_SECONDS, DEAD_AFTER_SECONDS = 2.0, 6.0  # as rooftree/tasks/orphaned_jobs.py has them


async def run_oban() -> None:
    """Run the product's own worker, with the benchmark's tasks."""
    from rooftree.tasks.worker import run_worker

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_worker(stop)


async def run_procrastinate(address: str) -> None:
    """Run a procrastinate worker with as many threads and the same heartbeat."""
    import procrastinate
    import queue_tasks

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=address))
    for function in (
        queue_tasks.do_nothing_at_all, queue_tasks.write_start, queue_tasks.write_start_and_hang
    ):  # fmt: skip
        app.task(function, name=function.__name__)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=THREADS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=DEAD_AFTER_SECONDS,
        )


if __name__ == "__main__":
    from rooftree import settings

    settings.TASKS["default"]["OPTIONS"]["TASKS_BELOW"].append("queue_tasks")  # type: ignore[index]
    django.setup()
    asyncio.run(run_oban() if sys.argv[1] == "oban" else run_procrastinate(sys.argv[2]))

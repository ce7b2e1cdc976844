"""Run background tasks."""

import asyncio
import signal
from typing import Any

from rooftree.core.process_supervisor import exit_with_parent
from rooftree.management import command_base


class Command(command_base.Command):
    """Runs tasks of all queues until a stop signal, then finishes the running ones."""

    help = "Run background tasks; any number of workers can run against one database."
    example = "rooftree worker"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run tasks until SIGTERM or Ctrl-C."""
        from rooftree.management import database  # reads the settings

        exit_with_parent()
        database.wait_until_available(60)
        database.missing_migrations()  # raises for tables of a newer release
        asyncio.run(_run_until_signal())


async def _run_until_signal() -> None:
    from rooftree.tasks.worker import run_worker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    await run_worker(stop)

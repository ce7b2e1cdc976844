"""Run background tasks."""

import asyncio
import signal
from typing import Any

from rooftree.core.supervise import follow_parent
from rooftree.management import base


class Command(base.Command):
    """Runs tasks of all queues until it is asked to stop, then finishes what is running."""

    help = "Run background tasks; any number of workers may run against one database."
    example = "rooftree worker"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        from rooftree.management import database  # reads the settings

        follow_parent()
        database.wait_until_it_answers(60)
        database.missing_migrations()  # refuses tables of a newer release
        asyncio.run(_until_asked())


async def _until_asked() -> None:
    from rooftree.tasks.worker import work

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(asked, stop.set)
    await work(stop)

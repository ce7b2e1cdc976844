"""A real worker process that also has the sample tasks."""

import asyncio
import os
import signal

os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree.settings"

import django

from rooftree import settings

settings.TASKS["default"]["OPTIONS"]["TASKS_BELOW"].append("tests.tasks.sample_tasks")
django.setup()

from rooftree.core.process_supervisor import exit_with_parent  # noqa: E402
from rooftree.tasks.worker import run_worker  # noqa: E402


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_worker(stop)


exit_with_parent()
asyncio.run(main())

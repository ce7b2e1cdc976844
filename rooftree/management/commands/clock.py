"""Run the clock: everything that is due, the most urgent jobs every second."""

import signal
from importlib import import_module
from typing import Any

from rooftree.core.process_supervisor import exit_with_parent
from rooftree.management import command_base
from rooftree.tasks import orphaned_jobs
from rooftree.tasks.scheduler import PeriodicJob, Scheduler

UPKEEP_JOBS = [
    PeriodicJob(
        name="rescue orphaned tasks",
        interval_seconds=2,
        run=lambda at: orphaned_jobs.requeue_orphaned_jobs(),
    ),
    PeriodicJob(
        name="tidy finished tasks",
        interval_seconds=300,
        run=lambda at: orphaned_jobs.delete_finished_jobs(),
    ),
]


class Command(command_base.Command):
    """Runs each job in `rooftree.flow.tick_schedule.TICKS` at its interval; requeues orphans."""

    help = "Run the clock; any number of clocks can run against one database."
    example = "rooftree clock"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run jobs until SIGTERM or Ctrl-C."""
        from rooftree.management import database  # reads the settings

        exit_with_parent()
        database.wait_until_available(60)
        database.missing_migrations()  # raises for tables of a newer release
        scheduler = Scheduler([*UPKEEP_JOBS, *import_module("rooftree.flow.tick_schedule").TICKS])
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: scheduler.stop())
        scheduler.run()

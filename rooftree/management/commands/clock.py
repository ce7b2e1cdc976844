"""Keep promises: run whatever is due, every second for the most urgent."""

import signal
from importlib import import_module
from typing import Any

from rooftree.core.supervise import follow_parent
from rooftree.management import base
from rooftree.tasks import rescue
from rooftree.tasks.ticking import Tick, Ticker

UPKEEP = [
    Tick(name="rescue orphaned tasks", every=2, run=lambda at: rescue.orphans()),
    Tick(name="tidy finished tasks", every=300, run=lambda at: rescue.tidy()),
]


class Command(base.Command):
    """Runs everything in `rooftree.flow.clock.TICKS` at its interval, and rescues orphans."""

    help = "Run the promise clock; any number of clocks may run against one database."
    example = "rooftree clock"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Tick until SIGTERM or Ctrl-C."""
        from rooftree.management import database  # reads the settings

        follow_parent()
        database.wait_until_it_answers(60)
        database.missing_migrations()  # refuses tables of a newer release
        ticker = Ticker([*UPKEEP, *import_module("rooftree.flow.clock").TICKS])
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, lambda *_: ticker.stop())
        ticker.run()

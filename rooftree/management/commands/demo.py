"""Run a demo on this machine: a lender with history, a live market, and every role."""

import os
import sys
from typing import Any

from rooftree.management import command_base


class Command(command_base.Command):
    """Runs until Ctrl-C; a second start continues with the same people and leads."""

    help = "Run Rooftree with an invented lender, its history and a live, simulated market."
    example = "PORT=8001 ROOFTREE_HOME=~/second rooftree demo"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process with the demo, a separate package that Rooftree never imports."""
        os.execv(sys.executable, [sys.executable, "-m", "rooftree_demo"])  # noqa: S606

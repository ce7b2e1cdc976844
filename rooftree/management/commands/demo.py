"""A lender's history and a live market, on this machine, with sign-ins for every role."""

import os
import sys
from typing import Any

from rooftree.management import command_base


class Command(command_base.Command):
    """Runs until Ctrl-C; a second start goes on with the same people and leads."""

    help = "Run Rooftree with an invented lender, its history and a live, simulated market."
    example = "PORT=8001 ROOFTREE_HOME=~/second rooftree demo"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the demo: it stands outside, and nothing of ours imports it."""
        os.execv(sys.executable, [sys.executable, "-m", "rooftree_demo"])  # noqa: S606

"""Run everything on this machine: database, web, worker and clock."""

from typing import Any

from rooftree.management import command_base


class Command(command_base.Command):
    """Runs until Ctrl-C; restarts any process that dies."""

    help = "Run all of Rooftree on this machine: database, web, worker and clock."
    example = "PORT=8001 ROOFTREE_HOME=~/second rooftree serve"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until a request to stop."""
        from rooftree.management import (
            serve_installation,  # reads the settings, which --help does not need
        )

        serve_installation.serve_installation()

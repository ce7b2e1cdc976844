"""Run everything on this machine: database, web, worker and clock."""

from typing import Any

from rooftree.management import command_base


class Command(command_base.Command):
    """Runs until Ctrl-C; whatever dies is started again."""

    help = "Run the whole of Rooftree on this machine: database, web, worker and clock."
    example = "PORT=8001 ROOFTREE_HOME=~/second rooftree serve"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until asked to stop."""
        from rooftree.management import (
            serve_installation,  # reads the settings, which --help must not need
        )

        serve_installation.serve_installation()

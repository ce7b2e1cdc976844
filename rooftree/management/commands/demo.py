"""A lender's history and a live market, on this machine, with sign-ins for every role."""

from typing import Any

from rooftree.management import base


class Command(base.Command):
    """Runs until Ctrl-C; a second start goes on with the same people and leads."""

    help = "Run Rooftree with an invented lender, its history and a live, simulated market."
    example = "PORT=8001 ROOFTREE_HOME=~/second rooftree demo"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve the demo until asked to stop."""
        from rooftree_demo import run  # the settings follow from what it puts in the environment

        run.run()

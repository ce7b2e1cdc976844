"""Run the web server alone, for installations spread over several machines."""

import os
import subprocess
import sys
from typing import Any

from rooftree.management import command_base


class Command(command_base.Command):
    """Replaces its own process with the web server, so that no parent process remains."""

    help = "Run the web server alone; needs a database that others run too (DATABASE_URL)."
    example = "DATABASE_URL=postgresql://rooftree@db/rooftree PORT=8000 rooftree web"
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process with the web server."""
        from rooftree.management import database, serve_installation

        serve_installation.check_port_free(patience=0)
        database.wait_until_available(10)
        for command in serve_installation.collect_static_commands():
            if subprocess.run(command, check=False).returncode:
                raise command_base.UsageError("the static files couldn't be collected; see above.")
        os.environ.update(database.child_environment())
        sys.stdout.flush()
        os.execv(sys.executable, serve_installation.web_command())  # noqa: S606 (our own command line)

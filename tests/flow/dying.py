"""A process that runs one step of the product and is killed at a named line of it.

Run by tests/flow/test_crash.py as `python -m tests.flow.dying`, with its instructions on
standard input. It ends by SIGKILL, so no clean-up of ours or of Python runs.
"""

import json
import os
import signal
import sys
from datetime import datetime
from importlib import import_module


def main() -> None:
    """Set up like the parent test, install the crash and run the step."""
    instructions = json.load(sys.stdin)
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree.settings"
    from django.conf import settings

    settings.DATABASES["default"].update(instructions["database"])
    for name, value in instructions["settings"].items():
        setattr(settings, name, value)
    import django

    django.setup()
    install_crash(instructions["crash_point"], after=instructions["after"])
    from rooftree.flow import clock

    at = datetime.fromisoformat(instructions["at"])
    module, _, verb = instructions["step"].rpartition(".")
    with clock.freeze(at):
        getattr(import_module(module), verb)(at=at)


def install_crash(place: str, *, after: bool) -> None:
    """Kill the process when `module:name.name` is called; with `after`, after the call."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for owner_name in owners:
        owner = getattr(owner, owner_name)
    real = getattr(owner, name)

    def crash(*args: object, **kwargs: object) -> None:
        if after:
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, crash)


if __name__ == "__main__":
    main()

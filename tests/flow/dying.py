"""A process that does one step of the product and is killed at a named line of it.

Run by tests/flow/test_crash.py as `python -m tests.flow.dying`, with the order on
standard input. It leaves by SIGKILL: no clean-up of ours or of Python runs.
"""

import json
import os
import signal
import sys
from datetime import datetime
from importlib import import_module


def main() -> None:
    """Set up as the parent test is, lay the mine, do the step."""
    order = json.load(sys.stdin)
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree.settings"
    from django.conf import settings

    settings.DATABASES["default"].update(order["database"])
    for name, value in order["settings"].items():
        setattr(settings, name, value)
    import django

    django.setup()
    lay_mine(order["mine"], after=order["after"])
    from rooftree.flow import clock

    at = datetime.fromisoformat(order["at"])
    module, _, verb = order["step"].rpartition(".")
    with clock.freeze(at):
        getattr(import_module(module), verb)(at=at)


def lay_mine(place: str, *, after: bool) -> None:
    """Whoever calls `module:name.name` dies; with `after`, once it has done its work."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    real = getattr(owner, name)

    def mine(*args: object, **kwargs: object) -> None:
        if after:
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, mine)


if __name__ == "__main__":
    main()

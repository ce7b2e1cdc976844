"""`rooftree demo`: the whole installation, with an outside world of its own around it."""

import os
import sys

from rooftree.core import settings_readers as read
from rooftree.core.settings_readers import Unconfigured
from rooftree_demo import outside
from rooftree_demo.history import SIZES

MARKET_PATIENCE = 8.0  # seconds for the simulated world to end by itself


def run() -> None:
    """Serve a demo until asked to stop. Raises `Unconfigured` in production's surroundings."""
    if os.environ.get("ROOFTREE_ENV", "demo") != "demo":
        raise Unconfigured(
            "the demo fills its database with made-up people and does not run with "
            "ROOFTREE_ENV=production; unset it, and give the demo a ROOFTREE_HOME of its own."
        )
    read.one_of("DEMO", list(SIZES), default="")
    os.environ["ROOFTREE_ENV"] = "demo"
    os.environ.update(outside.free().environment())
    os.environ.setdefault("ROOFTREE_LOG_LEVEL", "WARNING")
    from rooftree.core.supervise import Part  # these read the settings, which are made above
    from rooftree.management import database, serving

    market = Part(
        name="market",
        command=[sys.executable, "-m", "rooftree_demo.market"],
        environment=database.environment(),
        patience=MARKET_PATIENCE,
    )
    serving.run(extra=[market])

"""`rooftree demo`: the whole installation with a simulated outside world."""

import os
import sys

from rooftree.core import settings_readers as read
from rooftree.core.settings_readers import ConfigurationError
from rooftree_demo import simulator_addresses
from rooftree_demo.load_history import HISTORY_SIZES

MARKET_STOP_TIMEOUT = 8.0  # seconds for the market process to end by itself


def run_demo() -> None:
    """Serve a demo until it is stopped. Raises `ConfigurationError` in a production environment."""
    if os.environ.get("ROOFTREE_ENV", "demo") != "demo":
        raise ConfigurationError(
            "the demo fills its database with made-up people and does not run with "
            "ROOFTREE_ENV=production. Unset it, and give the demo its own ROOFTREE_HOME."
        )
    read.choice("DEMO", list(HISTORY_SIZES), default="")
    os.environ["ROOFTREE_ENV"] = "demo"
    os.environ.update(simulator_addresses.find_free_addresses().environment())
    os.environ.setdefault("ROOFTREE_LOG_LEVEL", "WARNING")
    from rooftree.core.process_supervisor import (
        ProcessSpec,  # imported late: reads the environment set above
    )
    from rooftree.management import database, serve_installation

    market = ProcessSpec(
        name="market",
        command=[sys.executable, "-m", "rooftree_demo.market"],
        environment=database.child_environment(),
        stop_timeout=MARKET_STOP_TIMEOUT,
    )
    serve_installation.serve_installation(extra=[market])

"""The outside world of a demo, alive: `python -m rooftree_demo.market`.

One process that holds the simulated vendors, has the history loaded once, and
then lets borrowers ask, reply and apply, officers answer their phones, and
loans move. It speaks to the installation as the real world does, by HTTP, and
acts for staff through the product's own verbs. It keeps nothing that matters:
web, worker, clock or itself may be killed at any time.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime

from rooftree_demo import simulator_addresses

BEAT_SECONDS = 1.0  # seconds between two looks at what is due


def main() -> int:
    """Run until SIGTERM."""
    from rooftree.core.process_supervisor import exit_with_parent

    exit_with_parent()
    ended = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda *_: ended.set())
    _setup_django()
    addresses = simulator_addresses.read_addresses()
    from rooftree_simulators.start_simulators import Ports, start_simulators

    ports = Ports(**asdict(addresses))
    with start_simulators(
        ports=ports, seed=int(time.time()), folder=simulator_addresses.simulator_folder()
    ):
        _run_market(addresses, ended)
    return 0


def _setup_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rooftree.settings")
    from rooftree.management import database

    database.wait_until_available(60)
    import django

    django.setup()


def _run_market(addresses: simulator_addresses.SimulatorAddresses, ended: threading.Event) -> None:
    from django.conf import settings

    from rooftree_demo import actors as town
    from rooftree_demo import demo_company, feeds, history_loader
    from rooftree_demo.load_history import print_progress
    from rooftree_demo.simulator_client import SimulatorClient

    at = datetime.now(UTC)
    try:
        demo_company.ensure_company(at=at)
    except demo_company.ForeignDatabase as problem:
        print_progress(f"no market: {problem}")
        ended.wait()
        return
    demo_company.prepare_run(addresses, at=at)
    feeds.ensure_feeds(at=at)
    feeds.configure_mailbox(addresses, at=at)
    feeds.configure_number_service(at=at)
    control = SimulatorClient(addresses)
    web = f"http://127.0.0.1:{settings.PORT}"
    town.seed_simulators(control, web=web, public=settings.PUBLIC_URL)
    loading = history_loader.HistoryLoader(before_all=os.environ.get("DEMO") == "full")
    loading.start()
    while not loading.is_usable() and not ended.wait(0.3):
        loading.advance()
    if not ended.is_set():
        print_progress(
            f"the demo is usable at {settings.PUBLIC_URL} (sign in as anyone; Ctrl-C stops it)."
        )
    actors = town.create_actors(control, web=web, public=settings.PUBLIC_URL)
    while not ended.wait(BEAT_SECONDS):
        loading.advance()
        town.run_actors(actors)
    loading.stop()


if __name__ == "__main__":
    sys.exit(main())

"""The live market of a demo: `python -m rooftree_demo.market`.

One process that runs the simulated vendors, loads the history once, and then lets
borrowers inquire, reply and apply, officers answer their phones, and loans move. It
speaks to the installation over HTTP, as the real world does, and acts for staff through
the product's own functions. It keeps no state that matters: web, worker, clock and this
process can be killed at any time.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime

from rooftree_demo import simulator_addresses

BEAT_SECONDS = 1.0  # seconds between two rounds of the actors


def main() -> int:
    """Run until SIGINT or SIGTERM."""
    from rooftree.core.process_supervisor import exit_with_parent

    exit_with_parent()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
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

    from rooftree_demo import actors as market_actors
    from rooftree_demo import demo_company, feeds, history_loader
    from rooftree_demo.load_history import print_progress
    from rooftree_demo.simulator_client import SimulatorClient

    at = datetime.now(UTC)
    try:
        demo_company.ensure_company(at=at)
    except demo_company.ForeignDatabase as problem:
        print_progress(f"the live market does not start: {problem}")
        ended.wait()
        return
    demo_company.prepare_run(addresses, at=at)
    feeds.ensure_feeds(at=at)
    feeds.configure_mailbox(addresses, at=at)
    feeds.configure_number_service(at=at)
    feeds.configure_mail(at=at)
    control = SimulatorClient(addresses)
    web = f"http://127.0.0.1:{settings.PORT}"
    market_actors.seed_simulators(control, web=web, public=settings.PUBLIC_URL)
    loader = history_loader.HistoryLoader(before_all=os.environ.get("DEMO") == "full")
    loader.start()
    while not loader.is_usable() and not ended.wait(0.3):
        loader.advance()
    if not ended.is_set():
        print_progress(
            f"the demo is usable at {settings.PUBLIC_URL} (sign in as anyone; Ctrl-C stops it)."
        )
    actors = market_actors.create_actors(control, web=web, public=settings.PUBLIC_URL)
    while not ended.wait(BEAT_SECONDS):
        loader.advance()
        market_actors.run_actors(actors)
    loader.stop()


if __name__ == "__main__":
    sys.exit(main())

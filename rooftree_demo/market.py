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

from rooftree_demo import outside

BEAT = 1.0  # seconds between two looks at what is due


def main() -> int:
    """Run until SIGTERM."""
    from rooftree.core.supervise import follow_parent

    follow_parent()
    ended = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda *_: ended.set())
    _set_up()
    addresses = outside.of_environment()
    from rooftree_simulators.run import Ports, start

    ports = Ports(**asdict(addresses))
    with start(ports=ports, seed=int(time.time()), folder=outside.kept()):
        _live(addresses, ended)
    return 0


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rooftree.settings")
    from rooftree.management import database

    database.wait_until_it_answers(60)
    import django

    django.setup()


def _live(addresses: outside.Addresses, ended: threading.Event) -> None:
    from django.conf import settings

    from rooftree_demo import company, feeds, past, town
    from rooftree_demo.control import Control
    from rooftree_demo.history import say

    at = datetime.now(UTC)
    try:
        company.ensure(at=at)
    except company.AnothersDatabase as problem:
        say(f"no market: {problem}")
        ended.wait()
        return
    company.open_today(addresses, at=at)
    feeds.ensure(at=at)
    feeds.read_mail(addresses, at=at)
    feeds.ask_about_numbers(at=at)
    control = Control(addresses)
    web = f"http://127.0.0.1:{settings.PORT}"
    town.plant(control, web=web, public=settings.PUBLIC_URL)
    loading = past.Loading(before_all=os.environ.get("DEMO") == "full")
    loading.start()
    while not loading.is_usable() and not ended.wait(0.3):
        loading.go_on()
    if not ended.is_set():
        say(f"the demo is usable at {settings.PUBLIC_URL} (sign in as anyone; Ctrl-C stops it).")
    actors = town.actors(control, web=web, public=settings.PUBLIC_URL)
    while not ended.wait(BEAT):
        loading.go_on()
        town.beat(actors)
    loading.stop()


if __name__ == "__main__":
    sys.exit(main())

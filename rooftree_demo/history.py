"""Loading history: `python -m rooftree_demo.history recent|older [SHARE/OF]`.

Runs beside a live system, under `history_settings`. Each lead is one
transaction, so that no worker or clock ever meets a lead in the middle of its
past. A second run goes on where the first one ended.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rooftree_demo import outside
from rooftree_demo.stories import Story, all_of, recent_from

TRIES = 4  # of one lead, when the live system held what it needs
EVERY = 25  # leads between two lines of progress


def main(arguments: list[str]) -> int:
    """Load one part of the history; progress on stderr."""
    part, _, share = " ".join(arguments).partition(" ")
    which, _, of = (share or "0/1").partition("/")
    set_up()
    journal = Journal.of_this_home(int(which))
    now = journal.began
    wanted = [one for one in all_of(now=now) if (one.at >= recent_from(now)) == (part == "recent")]
    mine = [one for one in wanted if one.number % int(of) == int(which)]
    load(mine, until=now, journal=journal)
    return 0


def set_up() -> None:
    """Django under the settings of history."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree_demo.history_settings"
    import django

    django.setup()


class Journal:
    """Which stories are loaded, kept in the demo's folder, and when the loading began."""

    def __init__(self, path: Path, began: datetime) -> None:
        self.path = path
        self.began = began
        self.done = set(path.read_text().split()) if path.exists() else set()

    @classmethod
    def of_this_home(cls, share: int = 0) -> "Journal":
        """The journal of this home's database."""
        from django.conf import settings

        from rooftree.org.models import Company

        folder = Path(settings.ROOFTREE_HOME) / "demo" / str(Company.objects.get().pk)
        folder.mkdir(parents=True, exist_ok=True)
        began = folder / "began.json"
        if not began.exists():
            began.write_text(json.dumps(datetime.now(UTC).isoformat()))
        moment = datetime.fromisoformat(json.loads(began.read_text()))
        return cls(folder / f"loaded-{share}.txt", moment)

    def add(self, name: str) -> None:
        """This one is committed."""
        self.done.add(name)
        with self.path.open("a") as file:
            file.write(f"{name}\n")


def load(stories: Iterable[Story], *, until: datetime, journal: Journal) -> int:
    """Tell the stories that are not told yet, oldest first; how many."""
    from rooftree_demo.control import Control

    control = Control(outside.of_environment())
    due = [one for one in stories if str(one.number) not in journal.done]
    begun = time.monotonic()
    for number, story in enumerate(due, start=1):
        one(story, until=until, control=control)
        journal.add(str(story.number))
        if number % EVERY == 0 or number == len(due):
            took = time.monotonic() - begun
            say(f"history: {number} of {len(due)} leads, {story.at:%B %Y}, {took:.0f} s")
    return len(due)


def one(story: Story, *, until: datetime, control: object) -> bool:
    """Load one lead's life; False when it was there before."""
    from django.db import OperationalError, transaction

    from rooftree_demo import at_once
    from rooftree_demo.life import AlreadyThere, Life
    from rooftree_demo.officers import Desk

    for tried in range(TRIES):
        try:
            with transaction.atomic():
                Desk(Life(story, until=until), control).work()  # type: ignore[arg-type]
        except AlreadyThere:
            return False
        except OperationalError:
            # The live market and history wanted the same rows: once more, from the beginning.
            at_once.drain()
            if tried + 1 == TRIES:
                raise
            time.sleep(0.2 * (tried + 1))
            continue
        return True
    return False


def months(start: datetime, end: datetime) -> Iterator[datetime]:
    """The first day of each month from `start` until `end`."""
    at = start.replace(day=1, hour=15, minute=0, second=0, microsecond=0)
    while at < end:
        yield at
        at = (at + timedelta(days=32)).replace(day=1)


def say(text: str) -> None:
    """One line of progress."""
    print(f"rooftree: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

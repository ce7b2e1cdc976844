"""Loading history: `python -m rooftree_demo.history PART SHARE/OF`.

Runs beside a live system, under `history_settings`. Each lead is one
transaction, so that no worker or clock ever meets a lead in the middle of its
past. A second run goes on where the first one ended.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from rooftree.reporting.period import last_complete
from rooftree_demo import outside
from rooftree_demo.stories import Story, all_of

TRIES = 4  # of one lead, when the live system held what it needs
EVERY = 25  # leads between two lines of progress


FIRST = "quarter"  # what the first screen shows when it is opened
RATES = "rates"  # the sheets, when everybody who waits for one is there
PARTS = (FIRST, "since", "older", RATES)


def main(arguments: list[str]) -> int:
    """Load a share of one part of the history; progress on stderr."""
    part, (which, of) = arguments[0], map(int, arguments[1].split("/"))
    os.nice(int(os.environ.get("ROOFTREE_DEMO_NICE", "0")))
    set_up()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)  # a short life: collecting costs a tenth of it
    journal = Journal.of_this_home(which)
    from rooftree_demo import ledger_of_months

    start = all_of(now=journal.began)[0].at
    if part == RATES:
        ledger_of_months.rates(start, journal.began, journal)
        journal.add(RATES)
        return 0
    if part == FIRST and which == 0:
        ledger_of_months.advertising(start, journal.began)
    mine = [one for one in stories_of(part, journal.began) if one.number % of == which]
    load(mine, until=journal.began, journal=journal)
    return 0


def stories_of(part: str, began: datetime) -> list[Story]:
    """The stories of one part, oldest first."""
    quarter = last_complete("quarter", began.date())
    wanted = {
        FIRST: (quarter.from_date, quarter.until_date),
        "since": (quarter.until_date, date.max),
        "older": (date.min, quarter.from_date),
    }
    start, end = wanted[part]
    return [one for one in all_of(now=began) if start <= one.at.date() < end]


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
        self.done = {
            name for one in path.parent.glob("loaded-*.txt") for name in one.read_text().split()
        }

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

    def lacks(self, part: str) -> bool:
        """Whether something of a part is still to be loaded, by whichever share."""
        told = set()
        for path in self.path.parent.glob("loaded-*.txt"):
            told |= set(path.read_text().split())
        if part == RATES:
            return part not in told
        return any(str(one.number) not in told for one in stories_of(part, self.began))

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
        try:
            one(story, until=until, control=control)
        except Exception as problem:  # the edge: one lead that cannot be told must not end the rest
            say(f"history: lead {story.number} is left out ({type(problem).__name__}: {problem})")
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


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"rooftree: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

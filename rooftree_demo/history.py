"""Loading history: `python -m rooftree_demo.history PARTS SHARE/OF`, PARTS joined by commas.

Runs beside a live system, under `history_settings`. Each lead is one
transaction, so that no worker or clock ever meets a lead in the middle of its
past. A second run goes on where the first one ended.
"""

import gc
import os
import sys
import time
from datetime import datetime
from functools import cached_property
from pathlib import Path

from rooftree_demo import outside
from rooftree_demo.plan import RATES, Plan
from rooftree_demo.stories import COUNT, Story

TRIES = 4  # of one lead, when the live system held what it needs
EVERY = 100  # leads between two lines of progress
SIZES = {"": COUNT, "full": COUNT, "small": 2_000}  # of DEMO


def main(arguments: list[str]) -> int:
    """Load a share of some parts of the history; progress on stderr."""
    parts, (which, of) = arguments[0].split(","), map(int, arguments[1].split("/"))
    os.nice(int(os.environ.get("ROOFTREE_DEMO_NICE", "0")))
    set_up()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)  # a short life: collecting costs a tenth of it
    journal = Journal.of_this_home(which)
    for part in parts:
        if part == RATES:
            _rates(journal)
        else:
            load(part, journal=journal, share=(which, of))
    return 0


def set_up() -> None:
    """Django under the settings of history."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree_demo.history_settings"
    import django

    django.setup()


class Journal:
    """What is loaded of a plan, kept in the demo's folder by each share on its own."""

    def __init__(self, folder: Path, plan: Plan, share: int = 0) -> None:
        self.folder = folder
        self.plan = plan
        self._mine = folder / f"loaded-{share}.txt"

    @classmethod
    def of_this_home(cls, share: int = 0) -> "Journal":
        """The journal of this home's database."""
        from django.conf import settings

        from rooftree.org.models import Company

        folder = Path(settings.ROOFTREE_HOME) / "demo" / str(Company.objects.get().pk)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, Plan.of(folder, count=SIZES[os.environ.get("DEMO", "")]), share)

    @cached_property
    def done(self) -> set[str]:
        """The names of what was loaded when this was first asked, and of what we added."""
        return self.told()

    def told(self) -> set[str]:
        """The names of what is loaded now, by whichever share."""
        return {
            name for one in self.folder.glob("loaded-*.txt") for name in one.read_text().split()
        }

    def lacks(self, part: str) -> bool:
        """Whether something of a part is still to be loaded."""
        if part == RATES:
            return part not in self.done
        return any(str(one.number) not in self.done for one in self.plan.by_part[part])

    def add(self, name: str) -> None:
        """This one is committed."""
        self.done.add(name)
        with self._mine.open("a") as file:
            file.write(f"{name}\n")


def load(part: str, *, journal: Journal, share: tuple[int, int] = (0, 1)) -> int:
    """Tell the stories of a part that are not told yet, with the spending beside them.

    Args:
        share: the how-manieth of how many processes this is. How many stories it told.
    """
    from rooftree_demo import ledger_of_months
    from rooftree_demo.control import Control

    control = Control(outside.of_environment())
    which, of = share
    begun, told = time.monotonic(), 0
    for name, stories in journal.plan.spans(part):
        if which == 0 and name not in journal.done:
            ledger_of_months.advertise(stories[0], journal.plan, part=part, name=name)
            journal.add(name)
        for story in stories:
            if story.number // journal.plan.layers % of != which:
                continue
            if str(story.number) in journal.done:
                continue
            _tell(story, until=journal.plan.began, control=control)
            journal.add(str(story.number))
            told += 1
            if told % EVERY == 0:
                took = time.monotonic() - begun
                say(f"history: {part}, {told} leads in {took:.0f} s, at {story.at:%d %B %Y}")
    return told


def one(story: Story, *, until: datetime, control: object) -> bool:
    """Load one lead's life; False when it was there before."""
    from django.db import DatabaseError

    from rooftree_demo import at_once
    from rooftree_demo.life import AlreadyThere

    for tried in range(TRIES):
        try:
            _live(story, until, control, with_savepoints=tried > 0)
        except AlreadyThere:
            return False
        except (DatabaseError, NeedsSavepoints):
            # Something was refused on the way, or the live market wanted the same rows: once
            # more, from the beginning. The same dice fall the same way.
            at_once.drop()
            if tried + 1 == TRIES:
                raise
            time.sleep(0.1 * tried)
            continue
        return True
    return False


class NeedsSavepoints(Exception):
    """Part of the story was undone on the way, which takes a savepoint to go back to."""


def _live(story: Story, until: datetime, control: object, *, with_savepoints: bool) -> None:
    """Tell it in one transaction.

    A fifth of all statements are savepoints, which nothing comes back to in most stories.
    """
    from django.db import connection, transaction

    from rooftree_demo import at_once
    from rooftree_demo.life import Life
    from rooftree_demo.officers import Desk

    # Inside a transaction of somebody else, our own is a savepoint itself.
    connection.features.uses_savepoints = with_savepoints or connection.in_atomic_block
    try:
        with connection.execute_wrapper(at_once.unannounced), transaction.atomic():
            Desk(Life(story, until=until), control).work()  # type: ignore[arg-type]
            if connection.needs_rollback:
                raise NeedsSavepoints
    finally:
        connection.features.uses_savepoints = True


def _tell(story: Story, *, until: datetime, control: object) -> None:
    try:
        one(story, until=until, control=control)
    except Exception as problem:  # the edge: one lead that cannot be told must not end the rest
        say(f"history: lead {story.number} is left out ({type(problem).__name__}: {problem})")


def _rates(journal: Journal) -> None:
    from rooftree_demo import ledger_of_months

    ledger_of_months.rates(journal)
    journal.add(RATES)


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"rooftree: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Loading history: `python -m rooftree_demo.load_history PARTS SHARE/OF`, PARTS joined by commas.

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

from rooftree_demo import simulator_addresses
from rooftree_demo.history_plan import RATES_PART, HistoryPlan
from rooftree_demo.stories import STORY_COUNT, Story

MAX_TRIES = 4  # of one lead, when the live system held what it needs
PROGRESS_EVERY = 100  # leads between two lines of progress
HISTORY_SIZES = {"": STORY_COUNT, "full": STORY_COUNT, "small": 2_000}  # of DEMO


def main(arguments: list[str]) -> int:
    """Load a share of some parts of the history; progress on stderr."""
    parts, (which, of) = arguments[0].split(","), map(int, arguments[1].split("/"))
    os.nice(int(os.environ.get("ROOFTREE_DEMO_NICE", "0")))
    setup_django()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)  # a short life: collecting costs a tenth of it
    journal = Journal.of_this_home(which)
    for part in parts:
        if part == RATES_PART:
            _load_rates(journal)
        else:
            load_part(part, journal=journal, share=(which, of))
    return 0


def setup_django() -> None:
    """Django under the settings of history."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree_demo.history_settings"
    import django

    django.setup()


class Journal:
    """What is loaded of a plan, kept in the demo's folder by each share on its own."""

    def __init__(self, folder: Path, plan: HistoryPlan, share: int = 0) -> None:
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
        return cls(
            folder,
            HistoryPlan.load_or_create(folder, count=HISTORY_SIZES[os.environ.get("DEMO", "")]),
            share,
        )

    @cached_property
    def done(self) -> set[str]:
        """The names of what was loaded when this was first asked, and of what we added."""
        return self.loaded_names()

    def loaded_names(self) -> set[str]:
        """The names of what is loaded now, by whichever share."""
        return {
            name for path in self.folder.glob("loaded-*.txt") for name in path.read_text().split()
        }

    def is_missing(self, part: str) -> bool:
        """Whether something of a part is still to be loaded."""
        if part == RATES_PART:
            return part not in self.done
        return any(str(one.number) not in self.done for one in self.plan.by_part[part])

    def mark_loaded(self, name: str) -> None:
        """This one is committed."""
        self.done.add(name)
        with self._mine.open("a") as file:
            file.write(f"{name}\n")


def load_part(part: str, *, journal: Journal, share: tuple[int, int] = (0, 1)) -> int:
    """Tell the stories of a part that are not told yet, with the spending beside them.

    Args:
        share: the how-manieth of how many processes this is. How many stories it told.
    """
    from rooftree_demo import history_costs_and_rates
    from rooftree_demo.simulator_client import SimulatorClient

    control = SimulatorClient(simulator_addresses.read_addresses())
    which, of = share
    begun, told = time.monotonic(), 0
    for name, stories in journal.plan.spans(part):
        if which == 0 and name not in journal.done:
            history_costs_and_rates.book_advertising(stories[0], journal.plan, part=part, name=name)
            journal.mark_loaded(name)
        for story in stories:
            if story.number // journal.plan.layers % of != which:
                continue
            if str(story.number) in journal.done:
                continue
            _load_story(story, until=journal.plan.began, control=control)
            journal.mark_loaded(str(story.number))
            told += 1
            if told % PROGRESS_EVERY == 0:
                took = time.monotonic() - begun
                print_progress(
                    f"history: {part}, {told} leads in {took:.0f} s, at {story.at:%d %B %Y}"
                )
    return told


def load_lead(story: Story, *, until: datetime, control: object) -> bool:
    """Load one lead's life; False when it was there before."""
    from django.db import DatabaseError

    from rooftree_demo import inline_queue
    from rooftree_demo.lead_story import AlreadyLoaded

    for tried in range(MAX_TRIES):
        try:
            _run_story(story, until, control, with_savepoints=tried > 0)
        except AlreadyLoaded:
            return False
        except (DatabaseError, NeedsSavepoints):
            # Something was refused on the way, or the live market wanted the same rows: once
            # more, from the beginning. The same dice fall the same way.
            inline_queue.clear_queue()
            if tried + 1 == MAX_TRIES:
                raise
            time.sleep(0.1 * tried)
            continue
        return True
    return False


class NeedsSavepoints(Exception):
    """Part of the story was undone on the way, which takes a savepoint to go back to."""


def _run_story(story: Story, until: datetime, control: object, *, with_savepoints: bool) -> None:
    """Tell it in one transaction.

    A fifth of all statements are savepoints, which nothing comes back to in most stories.
    """
    from django.db import connection, transaction

    from rooftree_demo import inline_queue
    from rooftree_demo.lead_story import LeadStory
    from rooftree_demo.officer_actions import OfficerDesk

    # Inside a transaction of somebody else, our own is a savepoint itself.
    connection.features.uses_savepoints = with_savepoints or connection.in_atomic_block
    try:
        with connection.execute_wrapper(inline_queue.skip_notifications), transaction.atomic():
            OfficerDesk(LeadStory(story, until=until), control).play()  # type: ignore[arg-type]
            if connection.needs_rollback:
                raise NeedsSavepoints
    finally:
        connection.features.uses_savepoints = True


def _load_story(story: Story, *, until: datetime, control: object) -> None:
    try:
        load_lead(story, until=until, control=control)
    except Exception as problem:  # the edge: one lead that cannot be told must not end the rest
        print_progress(
            f"history: lead {story.number} is left out ({type(problem).__name__}: {problem})"
        )


def _load_rates(journal: Journal) -> None:
    from rooftree_demo import history_costs_and_rates

    history_costs_and_rates.record_rate_sheets(journal)
    journal.mark_loaded(RATES_PART)


def print_progress(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"rooftree: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

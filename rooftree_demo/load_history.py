"""Load history: `python -m rooftree_demo.load_history PARTS SHARE/OF`, PARTS joined by commas.

Runs beside a live system, under `history_settings`. Each lead is one transaction, so no
worker or clock ever sees a lead in the middle of its past. A second run continues where
the first one stopped.
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

MAX_TRIES = 4  # attempts at one lead when the live system locks its rows
PROGRESS_EVERY = 100  # leads between two progress lines
DEFAULT_LEADS = 2_000  # about 110 a month for forty loan officers
# Leads by DEMO setting; all are the first of the same plan.
HISTORY_SIZES = {"": DEFAULT_LEADS, "full": DEFAULT_LEADS, "small": 1_000, "large": STORY_COUNT}


def main(arguments: list[str]) -> int:
    """Load a share of some parts of the history; print progress to stderr."""
    parts, (share, shares) = arguments[0].split(","), map(int, arguments[1].split("/"))
    os.nice(int(os.environ.get("ROOFTREE_DEMO_NICE", "0")))
    setup_django()
    gc.freeze()
    gc.set_threshold(
        200_000, 20, 20
    )  # short-lived process: collecting garbage would cost a tenth of its time
    journal = Journal.open_for_home(share)
    for part in parts:
        if part == RATES_PART:
            from rooftree_demo import history_costs_and_rates

            history_costs_and_rates.record_rate_sheets(journal)
            journal.mark_loaded(RATES_PART)
        else:
            load_part(part, journal=journal, share=(share, shares))
    return 0


def setup_django() -> None:
    """Set up Django with the history settings."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rooftree_demo.history_settings"
    import django

    django.setup()


class Journal:
    """The names of loaded parts and stories, in one file per share in the demo's folder."""

    def __init__(self, folder: Path, plan: HistoryPlan, share: int = 0) -> None:
        self.folder = folder
        self.plan = plan
        self._own_file = folder / f"loaded-{share}.txt"

    @classmethod
    def open_for_home(cls, share: int = 0) -> "Journal":
        """Open the journal of this home's database."""
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
    def loaded(self) -> set[str]:
        """The names loaded at the first access, plus those this share added since."""
        return self.read_loaded_names()

    def read_loaded_names(self) -> set[str]:
        """Read the names loaded by all shares up to now."""
        return {
            name for path in self.folder.glob("loaded-*.txt") for name in path.read_text().split()
        }

    def is_missing(self, part: str) -> bool:
        """Decide whether anything of a part is not loaded yet."""
        if part == RATES_PART:
            return part not in self.loaded
        return any(str(story.number) not in self.loaded for story in self.plan.by_part[part])

    def mark_loaded(self, name: str) -> None:
        """Record that the part or story with this name is committed."""
        self.loaded.add(name)
        with self._own_file.open("a") as file:
            file.write(f"{name}\n")


def load_part(part: str, *, journal: Journal, share: tuple[int, int] = (0, 1)) -> int:
    """Load the missing stories of a part and its advertising costs; return how many stories.

    Args:
        share: number of this process, from 0, and the number of processes.
    """
    from rooftree_demo import history_costs_and_rates
    from rooftree_demo.simulator_client import SimulatorClient

    control = SimulatorClient(simulator_addresses.read_addresses())
    own_share, shares = share
    started_at, loaded = time.monotonic(), 0
    for name, stories in journal.plan.spans(part):
        if own_share == 0 and name not in journal.loaded:
            history_costs_and_rates.book_advertising(stories[0], journal.plan, part=part, name=name)
            journal.mark_loaded(name)
        for story in stories:
            if story.number // journal.plan.layers % shares != own_share:
                continue
            if str(story.number) in journal.loaded:
                continue
            _load_story(story, until=journal.plan.began, control=control)
            journal.mark_loaded(str(story.number))
            loaded += 1
            if loaded % PROGRESS_EVERY == 0:
                seconds = time.monotonic() - started_at
                print_progress(
                    f"history: {part}, {loaded} leads in {seconds:.0f} s, at {story.at:%B %-d, %Y}"
                )
    return loaded


def load_lead(story: Story, *, until: datetime, control: object) -> bool:
    """Load one lead's life; return False if it was already loaded."""
    from django.db import DatabaseError

    from rooftree_demo import inline_queue
    from rooftree_demo.lead_story import AlreadyLoaded

    for attempt in range(MAX_TRIES):
        try:
            _run_story(story, until, control, with_savepoints=attempt > 0)
        except AlreadyLoaded:
            return False
        except (DatabaseError, NeedsSavepoints):
            # A step was refused, or the live market locked the same rows: retry from the
            # start. The story's random numbers repeat.
            inline_queue.clear_queue()
            if attempt + 1 == MAX_TRIES:
                raise
            time.sleep(0.1 * attempt)
            continue
        return True
    return False


class NeedsSavepoints(Exception):
    """Part of the story was rolled back, which needs a savepoint."""


def _run_story(story: Story, until: datetime, control: object, *, with_savepoints: bool) -> None:
    """Run a story in one transaction.

    Savepoints would be a fifth of all statements, and most stories never roll back to one.
    """
    from django.db import connection, transaction

    from rooftree_demo import inline_queue
    from rooftree_demo.lead_story import LeadStory
    from rooftree_demo.officer_actions import OfficerDesk

    # Inside an outer transaction, our own transaction is a savepoint.
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
    except Exception as problem:  # boundary: one lead that fails must not end the rest
        print_progress(
            f"history: lead {story.number} is skipped ({type(problem).__name__}: {problem})"
        )


def print_progress(text: str) -> None:
    """Print one progress line to stderr."""
    sys.stderr.write(f"rooftree: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Having the history loaded: what the first screen needs first, the rest behind the open doors."""

import os
import signal
import subprocess
import sys
import time

from rooftree.core.process_supervisor import parent_death_hook
from rooftree_demo.history_plan import RATES_PART, measure_progress
from rooftree_demo.load_history import Journal, print_progress

USABLE_LEADS = 1_000  # leads; with a sample of so many the first screen says something
MAX_VISITOR_WAIT = 40.0  # seconds that a visitor waits for them at most
BACKGROUND_NICE = 10  # how far the rest stands back: it may take its time
CHECK_SECONDS = 2.0  # seconds between two countings of what is loaded
PROGRESS_SECONDS = 30.0  # seconds between two lines about it
MAX_SHARES = 6  # processes; more would wait for each other in the database
MAX_TRIES = 3  # of a stage whose processes ended badly


class HistoryLoader:
    """The loading of this home's history, wherever an earlier start left it."""

    def __init__(self, *, before_all: bool) -> None:
        """With `before_all` a visitor waits until everything is there."""
        self._journal = Journal.of_this_home()
        self._before_all = before_all
        lacking = [part for part in self._journal.plan.parts if self._journal.is_missing(part)]
        leads = ",".join(part for part in lacking if part != RATES_PART)
        self._stages = [one for one in (leads, RATES_PART if RATES_PART in lacking else "") if one]
        self._tries = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._began = time.monotonic()
        self._looked = self._said = 0.0
        self._now = measure_progress(self._journal.plan, self._journal.loaded_names())
        self._is_polite = False

    def start(self) -> None:
        """Begin where an earlier start ended."""
        self._write_progress()
        if self._stages:
            print_progress(
                f"loading a history of {self._journal.plan.count:,} leads; the newest come first…"
            )
        self.advance()

    def is_usable(self) -> bool:
        """Whether what the first screen needs is there, or has been waited for long enough."""
        if not self._stages:
            return True
        if self._before_all:
            return False
        return self._now.told >= USABLE_LEADS or time.monotonic() > self._began + MAX_VISITOR_WAIT

    def advance(self) -> None:
        """Load the next stage when the one before is done, and tell how far it is."""
        self._update_progress()
        if self.is_usable() and not self._is_polite:
            self._lower_priority()
        if any(one.poll() is None for one in self._running):
            return
        if self._running:
            self._finish_stage()
        if self._stages:
            self._running = self._start_stage(self._stages[0])

    def stop(self) -> None:
        """End what still runs; the next start goes on from there."""
        for one in self._running:
            if one.poll() is None:
                one.terminate()
                one.wait()

    def _start_stage(self, stage: str) -> "list[subprocess.Popen[bytes]]":
        shares = 1 if stage == RATES_PART else min(max(os.cpu_count() or 2, 2), MAX_SHARES)
        nice = BACKGROUND_NICE if self._is_polite else 0
        return [_start_loader(stage, f"{n}/{shares}", nice=nice) for n in range(shares)]

    def _lower_priority(self) -> None:
        """From now on visitors and the live market come first."""
        self._is_polite = True
        for one in self._running:
            if one.poll() is None:
                os.setpriority(os.PRIO_PROCESS, one.pid, BACKGROUND_NICE)

    def _finish_stage(self) -> None:
        """The stage is over, well or badly."""
        ended_well = not any(one.returncode for one in self._running)
        self._running = []
        self._tries += 1
        if not ended_well and self._tries < MAX_TRIES:
            print_progress("a part of the history was interrupted; going on with it.")
            return
        if not ended_well:
            print_progress(
                "a part of the history could not be loaded; the next start tries it again."
            )
        self._tries = 0
        self._stages.pop(0)
        self._looked = 0.0
        self._update_progress()

    def _update_progress(self) -> None:
        """Keep the file that pages read up to date; now and then a line on the console."""
        if self._now.is_done or time.monotonic() < self._looked + CHECK_SECONDS:
            return
        self._looked = time.monotonic()
        self._now = measure_progress(self._journal.plan, self._journal.loaded_names())
        self._write_progress()
        if self._looked > self._said + PROGRESS_SECONDS and not self._now.is_done:
            self._said = self._looked
            now = self._now
            print_progress(f"history: {now.what}: {now.pct} % ({now.told:,} of {now.of:,} leads)")

    def _write_progress(self) -> None:
        file = self._journal.folder.parent / "loading.json"
        fresh = file.with_suffix(".new")
        fresh.write_text(self._now.as_json())
        fresh.replace(file)


def _start_loader(*words: str, nice: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "rooftree_demo.load_history", *words],
        stdin=subprocess.DEVNULL,
        preexec_fn=parent_death_hook(signal.SIGTERM),
        env={**os.environ, "ROOFTREE_DEMO_NICE": str(nice)},
    )

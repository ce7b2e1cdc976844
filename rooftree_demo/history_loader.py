"""Loading of the history in child processes: first for the first screen, then in the background."""

import os
import signal
import subprocess
import sys
import time

from rooftree.core.process_supervisor import parent_death_hook
from rooftree_demo.history_plan import RATES_PART, measure_progress
from rooftree_demo.load_history import Journal, print_progress

USABLE_LEADS = 1_000  # a sample of this many leads gives a meaningful first screen
MAX_VISITOR_WAIT = 40.0  # seconds until the demo opens with fewer leads
BACKGROUND_NICE = 10  # niceness of loading once visitors are there
CHECK_SECONDS = 2.0  # seconds between two counts of the loaded leads
PROGRESS_SECONDS = 30.0  # seconds between two console lines
MAX_SHARES = 6  # processes; more would block each other in the database
MAX_TRIES = 3  # attempts at a stage whose processes failed


class HistoryLoader:
    """The loading of this home's history; continues where an earlier start stopped."""

    def __init__(self, *, before_all: bool) -> None:
        """Prepare the stages; with `before_all` the demo opens only when all is loaded."""
        self._journal = Journal.open_for_home()
        self._before_all = before_all
        missing = [part for part in self._journal.plan.parts if self._journal.is_missing(part)]
        lead_parts = ",".join(part for part in missing if part != RATES_PART)
        rates_part = RATES_PART if RATES_PART in missing else ""
        self._stages = [stage for stage in (lead_parts, rates_part) if stage]
        self._tries = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._started_at = time.monotonic()
        self._checked_at = self._printed_at = 0.0
        self._progress = measure_progress(self._journal.plan, self._journal.read_loaded_names())
        self._is_in_background = False

    def start(self) -> None:
        """Start loading where an earlier start stopped."""
        self._write_progress()
        if self._stages:
            print_progress(
                f"loading a history of {self._journal.plan.count:,} leads; the newest come first…"
            )
        self.advance()

    def is_usable(self) -> bool:
        """Decide whether the demo can open: enough leads are loaded, or the wait was too long."""
        if not self._stages:
            return True
        if self._before_all:
            return False
        is_late = time.monotonic() > self._started_at + MAX_VISITOR_WAIT
        return self._progress.loaded >= USABLE_LEADS or is_late

    def advance(self) -> None:
        """Update the progress, and start the next stage when the previous one is done."""
        self._update_progress()
        if self.is_usable() and not self._is_in_background:
            self._lower_priority()
        if any(process.poll() is None for process in self._running):
            return
        if self._running:
            self._finish_stage()
        if self._stages:
            stage = self._stages[0]
            shares = 1 if stage == RATES_PART else min(max(os.cpu_count() or 2, 2), MAX_SHARES)
            nice = BACKGROUND_NICE if self._is_in_background else 0
            self._running = [
                _start_loader(stage, f"{share}/{shares}", nice=nice) for share in range(shares)
            ]

    def stop(self) -> None:
        """Terminate running processes; the next start continues from there."""
        for process in self._running:
            if process.poll() is None:
                process.terminate()
                process.wait()

    def _lower_priority(self) -> None:
        """Give visitors and the live market priority from now on."""
        self._is_in_background = True
        for process in self._running:
            if process.poll() is None:
                os.setpriority(os.PRIO_PROCESS, process.pid, BACKGROUND_NICE)

    def _finish_stage(self) -> None:
        """End a stage, or repeat it if a process failed and attempts are left."""
        is_complete = not any(process.returncode for process in self._running)
        self._running = []
        self._tries += 1
        if not is_complete and self._tries < MAX_TRIES:
            print_progress("loading part of the history was interrupted; retrying.")
            return
        if not is_complete:
            print_progress("part of the history could not be loaded; the next start tries again.")
        self._tries = 0
        self._stages.pop(0)
        self._checked_at = 0.0
        self._update_progress()

    def _update_progress(self) -> None:
        """Update the file that pages read, and print a line every `PROGRESS_SECONDS`."""
        if self._progress.is_done or time.monotonic() < self._checked_at + CHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        self._progress = measure_progress(self._journal.plan, self._journal.read_loaded_names())
        self._write_progress()
        if self._checked_at > self._printed_at + PROGRESS_SECONDS and not self._progress.is_done:
            self._printed_at = self._checked_at
            progress = self._progress
            print_progress(
                f"history: {progress.label}: {progress.pct}%"
                f" ({progress.loaded:,} of {progress.total:,} leads)"
            )

    def _write_progress(self) -> None:
        file = self._journal.folder.parent / "loading.json"
        fresh = file.with_suffix(".new")
        fresh.write_text(self._progress.as_json())
        fresh.replace(file)


def _start_loader(*arguments: str, nice: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "rooftree_demo.load_history", *arguments],
        stdin=subprocess.DEVNULL,
        preexec_fn=parent_death_hook(signal.SIGTERM),
        env={**os.environ, "ROOFTREE_DEMO_NICE": str(nice)},
    )

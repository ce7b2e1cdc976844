"""Having the history loaded: what the first screen needs first, the rest behind the open doors."""

import os
import signal
import subprocess
import sys
import time

from rooftree.core.supervise import dies_with_parent
from rooftree_demo.history import Journal, say
from rooftree_demo.plan import RATES, Progress, progress

POLITE = 10  # how far the rest stands back: it may take its time
LOOK_EVERY = 2.0  # seconds between two countings of what is loaded
SAY_EVERY = 30.0  # seconds between two lines about it
MOST_SHARES = 6  # processes; more would wait for each other in the database
TRIES = 3  # of a stage whose processes ended badly


class Loading:
    """The loading of this home's history, wherever an earlier start left it."""

    def __init__(self, *, before_all: bool) -> None:
        """With `before_all` a visitor waits until everything is there."""
        self._journal = Journal.of_this_home()
        self._before_all = before_all
        self._stages = self._staged()
        self._awaited = len(self._stages) if before_all else int(self._lacks_first())
        self._tries = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._looked = self._said = 0.0

    def start(self) -> None:
        """Begin with what the visitor waits for, if it is not there yet."""
        self._keep(self._progress())
        if self._stages:
            say(f"loading a history of {self._journal.plan.count:,} leads; the newest come first…")
        self.go_on()

    def is_usable(self) -> bool:
        """Whether what the first screen needs is there."""
        return self._awaited <= 0

    def go_on(self) -> None:
        """Load the next stage when the one before is done, and tell how far it is."""
        self._tell()
        if any(one.poll() is None for one in self._running):
            return
        if self._running:
            self._has_ended()
        if self._stages:
            self._running = self._begin(self._stages[0])

    def stop(self) -> None:
        """End what still runs; the next start goes on from there."""
        for one in self._running:
            if one.poll() is None:
                one.terminate()
                one.wait()

    def _staged(self) -> list[str]:
        """What is to be loaded, each stage by several processes at once."""
        lacking = [part for part in self._journal.plan.parts if self._journal.lacks(part)]
        first = [part for part in lacking if part == "layer0"]
        rest = [part for part in lacking if part not in ("layer0", RATES)]
        return [*first, *([",".join(rest)] if rest else []), *([RATES] if RATES in lacking else [])]

    def _lacks_first(self) -> bool:
        return bool(self._stages) and self._stages[0] == "layer0"

    def _begin(self, stage: str) -> "list[subprocess.Popen[bytes]]":
        cores = os.cpu_count() or 2
        waits = self._awaited > 0
        shares = 1 if stage == RATES else min(max(cores - (not waits), 1), MOST_SHARES)
        nice = 0 if waits else POLITE
        return [_child(stage, f"{n}/{shares}", nice=nice) for n in range(shares)]

    def _has_ended(self) -> None:
        """The stage is over, well or badly."""
        ended_well = not any(one.returncode for one in self._running)
        self._running = []
        self._tries += 1
        if not ended_well and self._tries < TRIES:
            say("a part of the history was interrupted; going on with it.")
            return
        if not ended_well:
            say("a part of the history could not be loaded; the next start tries it again.")
        self._tries = 0
        self._stages.pop(0)
        self._awaited -= 1
        self._keep(self._progress())

    def _tell(self) -> None:
        """Keep the file that pages read up to date; now and then a line on the console."""
        if not self._stages or time.monotonic() < self._looked + LOOK_EVERY:
            return
        self._looked = time.monotonic()
        now = self._progress()
        self._keep(now)
        if self._looked > self._said + SAY_EVERY and not now.is_done:
            self._said = self._looked
            say(f"history: {now.what}: {now.pct} % ({now.told:,} of {now.of:,} leads)")

    def _progress(self) -> Progress:
        return progress(self._journal.plan, self._journal.told())

    def _keep(self, now: Progress) -> None:
        file = self._journal.folder.parent / "loading.json"
        fresh = file.with_suffix(".new")
        fresh.write_text(now.as_json())
        fresh.replace(file)


def _child(*words: str, nice: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "rooftree_demo.history", *words],
        stdin=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGTERM),
        env={**os.environ, "ROOFTREE_DEMO_NICE": str(nice)},
    )

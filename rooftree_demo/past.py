"""Having the history loaded: what the first screen needs first, the rest behind the open doors."""

import os
import signal
import subprocess
import sys

from rooftree.core.supervise import dies_with_parent
from rooftree_demo.history import FIRST, PARTS, Journal, say

SHARES = 2  # processes that load what the visitor waits for
POLITE = 10  # how far the rest stands back: it may take its time


class Loading:
    """The loading of this home's history, wherever an earlier start left it."""

    def __init__(self) -> None:
        self._journal = Journal.of_this_home()
        self._left = [part for part in PARTS if self._journal.lacks(part)]
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Begin with what the visitor waits for, if it is not there yet."""
        if FIRST in self._left:
            say("loading nine months of history; the last quarter comes first…")
            self._left.remove(FIRST)
            self._running = [_child(FIRST, f"{n}/{SHARES}") for n in range(SHARES)]

    def is_usable(self) -> bool:
        """Whether what the first screen needs is there."""
        return all(one.poll() is not None for one in self._running)

    def go_on(self) -> None:
        """Load the next part when the one before is done."""
        if not self.is_usable():
            return
        if any(one.returncode for one in self._running):
            say("a part of the history could not be loaded; the next start tries it again.")
        self._running = []
        if self._left:
            self._running = [_child(self._left.pop(0), "0/1", nice=POLITE)]

    def stop(self) -> None:
        """End what still runs; the next start goes on from there."""
        for one in self._running:
            if one.poll() is None:
                one.terminate()
                one.wait()


def _child(*words: str, nice: int = 0) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "rooftree_demo.history", *words],
        stdin=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGTERM),
        env={**os.environ, "ROOFTREE_DEMO_NICE": str(nice)},
    )

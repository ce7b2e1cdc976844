"""Keeping the processes of one installation alive, and ending them in order."""

import ctypes
import logging
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rooftree.core.forked_process import ForkedProcess, can_fork, fork_process

PR_SET_PDEATHSIG = 1
FIRST_RESTART_DELAY, MAX_RESTART_DELAY = (
    0.5,
    30.0,
)  # seconds before a part that died is started again
ORPHAN_GRACE = 30.0  # seconds an orphan gets to end by itself; a worker's tasks have 25
STABLE_AFTER = 30.0  # seconds alive after which its next death counts as its first
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to keep alive.

    `patience` is how many seconds it gets to end by itself before it is killed.
    With `call` it is forked from this process where that can be done, and is
    then what `command` would run; it shares what is loaded here.
    """

    name: str
    command: Sequence[str]
    entry_point: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_timeout: float = 5.0


class SupervisedProcess:
    """A part, the process that is it now, and when to start the next one."""

    def __init__(self, part: ProcessSpec) -> None:
        self.spec = part
        self.process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.started = 0.0
        self.wait = FIRST_RESTART_DELAY
        self.next_start = 0.0

    def restart_if_due(self, at: float) -> None:
        """Start it when it is due; note its death and when it comes back."""
        if self.process is not None and self.process.poll() is not None:
            lived = at - self.started
            self.wait = (
                FIRST_RESTART_DELAY
                if lived > STABLE_AFTER
                else min(self.wait * 2, MAX_RESTART_DELAY)
            )
            self.next_start = at + self.wait
            ended = self.process.returncode
            log.warning("%s ended (%s); again in %.0f s", self.spec.name, ended, self.wait)
            self.process = None
        if self.process is None and at >= self.next_start:
            self.start(at)

    def start(self, at: float) -> None:
        """Start the process, in a session of its own: Ctrl-C is ours to pass on."""
        self.started = at
        if self.spec.entry_point is not None and can_fork():
            self.process = fork_process(
                self.spec.entry_point,
                title=" ".join(["python", *self.spec.command[1:]]),
                environment=self.spec.environment,
                in_child=parent_death_hook(signal.SIGTERM),
            )
            return
        self.process = subprocess.Popen(
            self.spec.command,
            env={**os.environ, **self.spec.environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=parent_death_hook(signal.SIGTERM),
        )


def supervise_processes(
    kept: Sequence[SupervisedProcess],
    *,
    stopping: Callable[[], bool],
    each_round: Callable[[], None],
    wake: int,
) -> None:
    """Keep processes alive until `stopping()`; the caller ends them.

    Args:
        stopping: asked several times a second, and whenever `wake` is readable.
        each_round: called as often, from the same thread; looks after what is
            not a `Part` (the database).
        wake: a file descriptor that signals write to.
    """
    while not stopping():
        each_round()
        for supervised_process in kept:
            supervised_process.restart_if_due(time.monotonic())
        _wait_for_wake(wake, 0.5)


def stop_processes(kept: Sequence[SupervisedProcess]) -> None:
    """Ask all to stop at once, wait for each as long as it may take, kill the rest."""
    for supervised_process in kept:
        if supervised_process.process is not None and supervised_process.process.poll() is None:
            supervised_process.process.terminate()
    asked = time.monotonic()
    for supervised_process in kept:
        if supervised_process.process is None:
            continue
        try:
            supervised_process.process.wait(
                max(0.1, asked + supervised_process.spec.stop_timeout - time.monotonic())
            )
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop in time and is killed", supervised_process.spec.name)
            _kill_session(supervised_process.process)


def parent_death_hook(how: int) -> Callable[[], None] | None:
    """What makes the kernel send `how` to a child when the thread that started it dies.

    Linux only; elsewhere the child looks after itself with `follow_parent`.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # found before the fork: after it only the call itself is safe
    return lambda: prctl(PR_SET_PDEATHSIG, how, 0, 0, 0)


def exit_with_parent(patience: float = ORPHAN_GRACE) -> None:
    """End this process soon after its parent has died, on every system.

    A parent may die before this is called. Who was made by `multiprocessing`, as the web
    server's own child is, knows which one it had, and ends at once. A forked child has its
    parent's handlers until it sets its own, and one of those may swallow the asking: who is
    still here `patience` seconds later is killed.
    """
    made_by = multiprocessing.parent_process()
    parent = made_by.pid if made_by else os.getppid()
    if os.getppid() != parent:
        os._exit(1)
    set_signal = parent_death_hook(signal.SIGTERM)
    if set_signal is not None:
        set_signal()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def _kill_session(process: "subprocess.Popen[bytes] | ForkedProcess") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _wait_for_wake(wake: int, seconds: float) -> None:
    ready, _, _ = select.select([wake], [], [], seconds)
    if ready:
        os.read(wake, 4096)

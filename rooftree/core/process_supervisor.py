"""Keep the processes of one installation alive and stop them in order."""

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
)  # seconds before a process that died is restarted
ORPHAN_GRACE = 30.0  # seconds an orphan has to exit; a worker's tasks get 25
STABLE_AFTER = 30.0  # seconds alive after which the next death counts as the first
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process to keep alive.

    `stop_timeout` is how many seconds the process has to exit before it is killed.
    With `entry_point` the process is forked from this one where the system allows it, and
    shares what is loaded here; `entry_point` must do the same as `command`.
    """

    name: str
    command: Sequence[str]
    entry_point: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_timeout: float = 5.0


class SupervisedProcess:
    """A process to keep alive, its current process, and when to restart it."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.started = 0.0
        self.wait = FIRST_RESTART_DELAY
        self.next_start = 0.0

    def restart_if_due(self, at: float) -> None:
        """Start the process when it is due; after its death, schedule the restart."""
        if self.process is not None and self.process.poll() is not None:
            lived = at - self.started
            self.wait = (
                FIRST_RESTART_DELAY
                if lived > STABLE_AFTER
                else min(self.wait * 2, MAX_RESTART_DELAY)
            )
            self.next_start = at + self.wait
            log.warning(
                "%s exited with %s; restarting in %.0f s",
                self.spec.name,
                self.process.returncode,
                self.wait,
            )
            self.process = None
        if self.process is None and at >= self.next_start:
            self.start(at)

    def start(self, at: float) -> None:
        """Start the process in its own session, so that only the supervisor handles Ctrl-C."""
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
    processes: Sequence[SupervisedProcess],
    *,
    is_stopping: Callable[[], bool],
    each_round: Callable[[], None],
    wake: int,
) -> None:
    """Keep processes alive until `is_stopping()`; the caller stops them.

    Args:
        is_stopping: called several times a second, and whenever `wake` is readable.
        each_round: called as often, from the same thread; looks after what is
            not a `ProcessSpec` (the database).
        wake: a file descriptor that signals write to.
    """
    while not is_stopping():
        each_round()
        for process in processes:
            process.restart_if_due(time.monotonic())
        readable, _, _ = select.select([wake], [], [], 0.5)
        if readable:
            os.read(wake, 4096)


def stop_processes(processes: Sequence[SupervisedProcess]) -> None:
    """Ask all processes to stop, wait for each up to its timeout, and kill the rest."""
    for supervised in processes:
        if supervised.process is not None and supervised.process.poll() is None:
            supervised.process.terminate()
    stopping_since = time.monotonic()
    for supervised in processes:
        if supervised.process is None:
            continue
        try:
            deadline = stopping_since + supervised.spec.stop_timeout
            supervised.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop in time; killing it", supervised.spec.name)
            _kill_session(supervised.process)


def parent_death_hook(signal_number: int) -> Callable[[], None] | None:
    """Return a `preexec_fn` that ties a child to the life of the thread that started it.

    The kernel sends the signal to the child when that thread dies. Linux only: returns None
    elsewhere, where the child has to call `exit_with_parent`.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: after it only the call is safe
    return lambda: prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def exit_with_parent(patience: float = ORPHAN_GRACE) -> None:
    """End this process soon after its parent dies, on every system.

    The parent can die before this is called. A child of `multiprocessing`, such as the web
    server's, knows its parent's pid and exits at once. A forked child has its parent's signal
    handlers until it sets its own, and those can swallow SIGTERM: after `patience` more seconds
    the process is killed.
    """
    parent_process = multiprocessing.parent_process()
    parent = parent_process.pid if parent_process else os.getppid()
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

"""A child process forked from this one; it shares the memory of what was already loaded."""

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import TimeoutExpired
from time import monotonic, sleep

RESET_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)
MAX_FILES = 4096


class ForkedProcess:
    """A child process that runs a function, with the interface of a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs.

        The code is negative when a signal ended the process.
        """
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to end and return its exit code. Raises `TimeoutExpired`."""
        deadline = None if timeout is None else monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and monotonic() > deadline:
                raise TimeoutExpired(str(self.pid), timeout or 0)
            sleep(0.02)
        return code

    def terminate(self) -> None:
        """Ask the process to end with SIGTERM."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def can_fork() -> bool:
    """Return True if a process that has loaded libraries can fork safely: only on Linux."""
    return sys.platform == "linux"


def freeze_loaded_objects() -> None:
    """Freeze what is loaded, so that children share its memory. Call before the first fork."""
    gc.collect()
    gc.freeze()


def fork_process(
    call: Callable[[], object],
    *,
    title: str,
    environment: Mapping[str, str],
    in_child: Callable[[], object] | None,
) -> ForkedProcess:
    """Run `call` in a forked child with its own session and none of our open files.

    The child exits when `call` returns.

    Args:
        title: what `ps` shows.
        in_child: runs first in the child, like `preexec_fn` of a subprocess.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return ForkedProcess(pid)
    code = 1
    try:
        if in_child is not None:
            in_child()
        _detach_from_parent(environment)
        set_process_title(title)
        call()
        code = 0
    except SystemExit as problem:
        code = problem.code if isinstance(problem.code, int) else int(problem.code is not None)
    except BaseException:  # the child must not continue into its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _detach_from_parent(environment: Mapping[str, str]) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for reset_signal in RESET_SIGNALS:
        signal.signal(reset_signal, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null_device = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null_device, 0)
    os.closerange(3, MAX_FILES)  # includes the lock of the data folder, which the parent holds
    os.environ.update(environment)


def set_process_title(title: str) -> None:
    """Show `title` as the command line, cut to the length of the old one. Linux only."""
    try:
        words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(words[45]), int(words[46])
    except (OSError, ValueError, IndexError):
        return
    room = end - start
    if start and room > 0:
        text = title.encode().replace(b" ", b"\0")[: room - 1]
        ctypes.memmove(start, text.ljust(room, b"\0"), room)

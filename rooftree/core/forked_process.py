"""A process made by forking this one: it shares with us whatever we had loaded before."""

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
    """A child that runs a function; it is asked and ended as a `subprocess.Popen` is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it lives."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended. Raises `TimeoutExpired`."""
        deadline = None if timeout is None else monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and monotonic() > deadline:
                raise TimeoutExpired(str(self.pid), timeout or 0)
            sleep(0.02)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def can_fork() -> bool:
    """Whether a process that has loaded libraries may go on after a fork: on Linux alone."""
    return sys.platform == "linux"


def freeze_loaded_objects() -> None:
    """Before the first fork: what is loaded stays where it is, so that children share it."""
    gc.collect()
    gc.freeze()


def fork_process(
    call: Callable[[], object],
    *,
    title: str,
    environment: Mapping[str, str],
    in_child: Callable[[], object] | None,
) -> ForkedProcess:
    """Run `call` in a child of its own session, which holds no file of ours and ends with it.

    Args:
        title: how `ps` shows it.
        in_child: called first, as `preexec_fn` of a subprocess is.
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
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # the edge of a process: nothing above it may run on in the child
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
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.closerange(3, MAX_FILES)  # among them the lock of the home, which is not ours to hold
    os.environ.update(environment)


def set_process_title(title: str) -> None:
    """Show `title` as this process's command line, as far as the old one was long. Linux only."""
    try:
        words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        begins, ends = int(words[45]), int(words[46])
    except (OSError, ValueError, IndexError):
        return
    room = ends - begins
    if begins and room > 0:
        shown = title.encode().replace(b" ", b"\0")[: room - 1]
        ctypes.memmove(begins, shown.ljust(room, b"\0"), room)

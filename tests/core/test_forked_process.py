"""A forked process: what it shares, what it must not hold, and how it is asked and ended."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from rooftree.core import forked_process

pytestmark = pytest.mark.skipif(
    not forked_process.can_fork(), reason="Linux forks what it has loaded"
)

# In a process of its own: a test's process has threads, and no fork beside a thread is sound.
SCRIPT = """
import os, sys, time
from pathlib import Path
from rooftree.core import forked_process
loaded = {{"here": "yes"}}
held = open(sys.argv[1], "w")
def part():
{part}
child = forked_process.fork_process(
    part, title="python -m part", environment={{"GIVEN": "given"}}, in_child=None
)
{then}
"""


def run(tmp_path, part, then):
    body = SCRIPT.format(part="".join(f"    {line}\n" for line in part), then="\n".join(then))
    return subprocess.run(
        [sys.executable, "-c", body, str(tmp_path / "held")],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip


def test_it_shares_what_was_loaded_and_tells_its_exit_code(tmp_path):
    said = run(
        tmp_path,
        ["print(loaded['here'], os.environ['GIVEN'])", "sys.exit(7)"],
        ["print(child.wait(10), child.poll())"],
    )

    assert said == "yes given\n7 7\n"


def test_a_failure_ends_it_and_runs_nothing_of_the_parent(tmp_path):
    said = run(tmp_path, ["raise OSError"], ["print('once', child.wait(10))"])

    assert said == "once 1\n"


def test_it_holds_no_file_of_its_parent(tmp_path):
    said = run(
        tmp_path,
        ["print(sorted(os.listdir('/proc/self/fd'))[:4])", "sys.stdout.flush()"],
        ["child.wait(10)"],
    )

    assert said == "['0', '1', '2', '3']\n"  # the last is the listing itself


def test_a_lock_that_the_parent_held_is_free_when_the_parent_is_gone(tmp_path):
    body = SCRIPT.format(
        part="    os.dup2(os.open(os.devnull, os.O_WRONLY), 1); os.dup2(1, 2); time.sleep(20)\n",
        then="import fcntl; fcntl.flock(held, fcntl.LOCK_EX); print(child.pid, flush=True)\n"
        "os._exit(0)",
    )
    done = subprocess.run(
        [sys.executable, "-c", body, str(tmp_path / "held")],
        stdout=subprocess.PIPE, text=True, timeout=30, check=True,
    )  # fmt: skip
    try:
        with (tmp_path / "held").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_it_is_shown_by_its_own_name_and_ends_when_it_is_asked(tmp_path):
    said = run(
        tmp_path,
        ["time.sleep(20)"],
        [
            "time.sleep(0.5)",
            "print(Path(f'/proc/{child.pid}/cmdline').read_bytes().rstrip(b'\\0'))",
            "child.terminate()",
            "print(child.wait(10))",
        ],
    )

    assert said == f"{b'python' + bytes(1) + b'-m' + bytes(1) + b'part'!r}\n{-signal.SIGTERM}\n"


def test_waiting_for_it_has_an_end(tmp_path):
    said = run(
        tmp_path,
        ["time.sleep(20)"],
        [
            "from subprocess import TimeoutExpired",
            "try: child.wait(0.1)",
            "except TimeoutExpired: print('still there', child.poll())",
            "child.terminate(); child.wait(10)",
        ],
    )

    assert said == "still there None\n"

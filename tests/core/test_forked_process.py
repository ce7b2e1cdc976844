"""Forked processes: shared memory, closed files, and the interface of a subprocess."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from rooftree.core import forked_process

pytestmark = pytest.mark.skipif(not forked_process.can_fork(), reason="only Linux can fork safely")

# In its own process: the test process has threads, and forking beside a thread is unsafe.
SCRIPT = """
import os, sys, time
from pathlib import Path
from rooftree.core import forked_process
loaded = {{"here": "yes"}}
lock_file = open(sys.argv[1], "w")
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


def test_forked_process_shares_loaded_objects_and_reports_its_exit_code(tmp_path):
    output = run(
        tmp_path,
        ["print(loaded['here'], os.environ['GIVEN'])", "sys.exit(7)"],
        ["print(child.wait(10), child.poll())"],
    )

    assert output == "yes given\n7 7\n"


def test_failure_ends_the_forked_process_without_running_parent_code(tmp_path):
    output = run(tmp_path, ["raise OSError"], ["print('once', child.wait(10))"])

    assert output == "once 1\n"


def test_forked_process_has_no_open_files_of_its_parent(tmp_path):
    output = run(
        tmp_path,
        ["print(sorted(os.listdir('/proc/self/fd'))[:4])", "sys.stdout.flush()"],
        ["child.wait(10)"],
    )

    assert output == "['0', '1', '2', '3']\n"  # the last is the listing itself


def test_lock_of_a_dead_parent_is_free(tmp_path):
    body = SCRIPT.format(
        part="    os.dup2(os.open(os.devnull, os.O_WRONLY), 1); os.dup2(1, 2); time.sleep(20)\n",
        then="import fcntl; fcntl.flock(lock_file, fcntl.LOCK_EX); print(child.pid, flush=True)\n"
        "os._exit(0)",
    )
    done = subprocess.run(
        [sys.executable, "-c", body, str(tmp_path / "held")],
        stdout=subprocess.PIPE, text=True, timeout=30, check=True,
    )  # fmt: skip
    try:
        with (tmp_path / "held").open() as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_forked_process_shows_its_own_title_and_ends_on_terminate(tmp_path):
    output = run(
        tmp_path,
        ["time.sleep(20)"],
        [
            "time.sleep(0.5)",
            "print(Path(f'/proc/{child.pid}/cmdline').read_bytes().rstrip(b'\\0'))",
            "child.terminate()",
            "print(child.wait(10))",
        ],
    )

    assert output == f"{b'python' + bytes(1) + b'-m' + bytes(1) + b'part'!r}\n{-signal.SIGTERM}\n"


def test_wait_for_a_forked_process_times_out(tmp_path):
    output = run(
        tmp_path,
        ["time.sleep(20)"],
        [
            "from subprocess import TimeoutExpired",
            "try: child.wait(0.1)",
            "except TimeoutExpired: print('still there', child.poll())",
            "child.terminate(); child.wait(10)",
        ],
    )

    assert output == "still there None\n"

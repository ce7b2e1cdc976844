"""A process exits after its parent was killed, at any time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAMILY = """
import multiprocessing, os, signal, sys, time
from rooftree.core.process_supervisor import exit_with_parent

def child(marks, when):
    if when == "early":
        while os.getppid() == multiprocessing.parent_process().pid:
            time.sleep(0.02)
    if when == "deaf":
        signal.signal(signal.SIGTERM, lambda *_: None)
    exit_with_parent(patience=0.1)
    for number in range(60):
        open(marks, "w").write(str(number))
        time.sleep(0.1)

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    multiprocessing.Process(target=child, args=(sys.argv[1], sys.argv[2])).start()
    time.sleep(1.5)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["early", "late", "deaf"])
def test_child_of_a_killed_parent_exits(tmp_path, when):
    """`early`: the parent dies before the child checks; `deaf`: the child ignores SIGTERM."""
    marks = tmp_path / "alive"
    program = tmp_path / "family.py"
    program.write_text(FAMILY)

    subprocess.run(
        [sys.executable, program, marks, when],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, timeout=60, check=False,
    )  # fmt: skip
    time.sleep(2.5)  # the child checks once a second
    before = marks.read_text() if marks.exists() else ""
    time.sleep(0.6)

    assert (marks.read_text() if marks.exists() else "") == before

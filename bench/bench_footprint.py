"""Memory of web, worker and clock at rest, and the time of a second start to a ready page."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from measurements import parse_options, pss_mb, report_results
from temp_installation import ROOT, find_free_port, python_command, rooftree_command, wait_for_url

SIZES = {"rest": (10, "seconds of rest before memory is read")}
GOAL_MB = 200


def main() -> None:
    """Start once to create the database, then again to measure time and memory."""
    options = parse_options(__doc__, **SIZES)
    home = Path(tempfile.mkdtemp(prefix="rooftree-bench-"))
    home.chmod(0o711)
    port = find_free_port()
    os.environ |= {
        "ROOFTREE_HOME": str(home),
        "ROOFTREE_ENV": "demo",  # with the console carrier; creates no demo data
        "PORT": str(port),
        "ROOFTREE_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "rooftree.settings",
    }
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first start compiles for the second
    try:
        first, _ = _time_start(port, rest=0)
        second, memory = _time_start(port, rest=options.rest)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    floor = _python_start_seconds()
    own_mb = sum(mb for name, mb in memory.items() if name != "database")
    report_results(
        options,
        "footprint",
        pss_mb=memory,
        without_database_mb=round(own_mb, 1),
        share_of_goal=round(own_mb / GOAL_MB, 2),
        floor_python_start_s=round(floor, 3),
        first_start_s=round(first, 2),
        second_start_s=round(second, 2),
        second_start_to_floor=round(second / floor, 1),
    )


def _time_start(port: int, *, rest: float) -> tuple[float, dict[str, float]]:
    began = time.perf_counter()
    supervisor = subprocess.Popen(rooftree_command("serve"), cwd=ROOT, start_new_session=True)
    try:
        wait_for_url(f"http://127.0.0.1:{port}/sign-in/")
        ready = time.perf_counter() - began
        if rest:
            time.sleep(rest)
        return ready, _memory_by_process(supervisor.pid) if rest else {}
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=60)


def _memory_by_process(pid: int) -> dict[str, float]:
    """Return the proportional memory of the supervisor and each of its processes, in MB."""
    names = {"granian": "web", "worker": "worker", "clock": "clock", "postgres": "database"}
    memory = {"supervisor": pss_mb(pid)}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_bytes().decode().replace("\0", " ")
        name = next((part for word, part in names.items() if word in command), command[:20])
        memory[name] = pss_mb(int(child))
        memory["supervisor"] = round(memory["supervisor"] - memory[name], 1)
    return memory


def _python_start_seconds() -> float:
    """Time one Python process that only imports Django."""
    began = time.perf_counter()
    subprocess.run(python_command("-c", "import django.db.models"), check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

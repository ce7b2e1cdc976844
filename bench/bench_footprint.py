"""Memory of web, worker and clock at rest, and how long a second start takes to a ready page."""

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
    """Start once to make the database, once more to be timed and weighed."""
    asked = parse_options(__doc__, **SIZES)
    home = Path(tempfile.mkdtemp(prefix="rooftree-bench-"))
    home.chmod(0o711)
    port = find_free_port()
    os.environ |= {
        "ROOFTREE_HOME": str(home),
        "ROOFTREE_ENV": "demo",  # with the carrier on the console, no demo data is made
        "PORT": str(port),
        "ROOFTREE_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "rooftree.settings",
    }
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first start leaves it for the second
    try:
        first, _ = _time_start(port, rest=0)
        second, weights = _time_start(port, rest=asked.rest)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    floor = _python_start_seconds()
    ours = sum(mb for name, mb in weights.items() if name != "database")
    report_results(
        asked,
        "footprint",
        pss_mb=weights,
        without_database_mb=round(ours, 1),
        share_of_goal=round(ours / GOAL_MB, 2),
        floor_python_start_s=round(floor, 3),
        first_start_s=round(first, 2),
        second_start_s=round(second, 2),
        second_start_to_floor=round(second / floor, 1),
    )


def _time_start(port: int, *, rest: float) -> tuple[float, dict[str, float]]:
    began = time.perf_counter()
    whole = subprocess.Popen(rooftree_command("serve"), cwd=ROOT, start_new_session=True)
    try:
        wait_for_url(f"http://127.0.0.1:{port}/sign-in/")
        ready = time.perf_counter() - began
        if rest:
            time.sleep(rest)
        return ready, _memory_by_process(whole.pid) if rest else {}
    finally:
        whole.terminate()
        whole.wait(timeout=60)


def _memory_by_process(pid: int) -> dict[str, float]:
    """Proportional memory of the supervisor and of each process that it keeps."""
    names = {"granian": "web", "worker": "worker", "clock": "clock", "postgres": "database"}
    found = {"supervisor": pss_mb(pid)}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().decode().replace("\0", " ")
        name = next((known for word, known in names.items() if word in words), words[:20])
        found[name] = pss_mb(int(child))
        found["supervisor"] = round(found["supervisor"] - found[name], 1)
    return found


def _python_start_seconds() -> float:
    """One Python that loads Django and nothing else."""
    began = time.perf_counter()
    subprocess.run(python_command("-c", "import django.db.models"), check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

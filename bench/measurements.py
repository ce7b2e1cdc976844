"""Reading what processes used, and saying what was measured: in words, and in JSON."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def parse_options(about: str | None, **sizes: tuple[int, str]) -> argparse.Namespace:
    """The command line of one benchmark.

    Args:
        sizes: by option name: the default, which fits a quick run, and what it counts.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    for name, (usual, counted) in sizes.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=usual, help=f"{counted} ({usual})"
        )
    return parser.parse_args()


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def latency_summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, p95, p99 and worst, in milliseconds."""
    return {
        "p50_ms": round(statistics.median(seconds) * 1e3, 2),
        "p95_ms": round(quantile(seconds, 0.95) * 1e3, 2),
        "p99_ms": round(quantile(seconds, 0.99) * 1e3, 2),
        "max_ms": round(max(seconds) * 1e3, 2),
    }


def report_results(asked: argparse.Namespace, name: str, **found: Any) -> None:
    """Print what was found, and append it to the file that was asked for."""
    print(name)  # noqa: T201
    for key, value in found.items():
        print(f"  {key:<28} {_format_value(value)}")  # noqa: T201
    sizes = {key: value for key, value in vars(asked).items() if key != "json"}
    if asked.json:
        line = {"bench": name, "sizes": sizes, **found, **machine_info()}
        with asked.json.open("a") as file:
            file.write(json.dumps(line) + "\n")


def machine_info() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was with other work."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load1": round(os.getloadavg()[0], 1),
    }


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {one}" for key, one in value.items())
    return str(value)


def process_tree(pid: int) -> set[int]:
    """A process and all below it."""
    found = {pid}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found |= process_tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its living and ended children have used."""
    used = 0
    for one in process_tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended as we looked
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            used += sum(int(ticks) for ticks in fields[11:15])
    return used / CLOCK_TICKS


def pss_mb(pid: int) -> float:
    """Proportional memory of a process and all below it, in MB."""
    total = 0
    for one in process_tree(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return round(total / 1000, 1)

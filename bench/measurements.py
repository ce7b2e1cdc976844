"""CPU time and memory of processes, and reports of results as text and JSON."""

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


def parse_options(description: str | None, **sizes: tuple[int, str]) -> argparse.Namespace:
    """Parse the command line of one benchmark.

    Args:
        sizes: by option name: the default, for a quick run, and the help text.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="append one line of JSON to this file")
    for name, (default, help_text) in sizes.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=default,
            help=f"{help_text} ({default})",
        )
    return parser.parse_args()


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that the share `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def latency_summary(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, p95, p99 and maximum, in milliseconds."""
    return {
        "p50_ms": round(statistics.median(seconds) * 1e3, 2),
        "p95_ms": round(quantile(seconds, 0.95) * 1e3, 2),
        "p99_ms": round(quantile(seconds, 0.99) * 1e3, 2),
        "max_ms": round(max(seconds) * 1e3, 2),
    }


def report_results(options: argparse.Namespace, name: str, **results: Any) -> None:
    """Print the results, and append them to the file of the `--json` option."""
    print(name)  # noqa: T201
    for key, value in results.items():
        print(f"  {key:<28} {_format_value(value)}")  # noqa: T201
    sizes = {key: value for key, value in vars(options).items() if key != "json"}
    if options.json:
        line = {"bench": name, "sizes": sizes, **results, **machine_info()}
        with options.json.open("a") as file:
            file.write(json.dumps(line) + "\n")


def machine_info() -> dict[str, Any]:
    """Return the machine's cores, Python version and load."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load1": round(os.getloadavg()[0], 1),
    }


def _format_value(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {number}" for key, number in value.items())
    return str(value)


def process_tree(pid: int) -> set[int]:
    """Return the ids of a process and all its descendants."""
    pids = {pid}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            pids |= process_tree(int(child))
    return pids


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds used by a process and its living and ended descendants."""
    used = 0
    for member in process_tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            used += sum(int(ticks) for ticks in fields[11:15])
    return used / CLOCK_TICKS


def pss_mb(pid: int) -> float:
    """Return the proportional memory of a process and all its descendants, in MB."""
    total = 0
    for member in process_tree(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return round(total / 1000, 1)

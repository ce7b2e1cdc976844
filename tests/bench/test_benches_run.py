"""Benchmarks run at their smallest size and report results; no figure is judged.

Two of them run, one of a function and one of the whole system; BENCHES=1 runs all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
SMALLEST = {
    "accept": ["--seconds", "1", "--rounds", "1", "--connections", "2"],
    "burst": ["--leads", "4", "--people", "20", "--officers", "3"],
    "dnc": ["--numbers", "5000", "--lookups", "10"],
    "footprint": ["--rest", "1"],
    "gate": ["--verdicts", "10"],
    "import": ["--rows", "12", "--people", "20"],
    "pages": ["--leads", "60", "--officers", "2", "--asks", "2"],
    "parse": ["--turns", "1"],
    "proof": ["--events", "48", "--people", "20", "--entries", "24", "--writers", "2"],
    "queues": ["--jobs", "20", "--singles", "5", "--idle", "1"],
    "steady": ["--seconds", "2", "--pace", "2", "--people", "20", "--officers", "3"],
    "routing": ["--officers", "4", "--rules", "3", "--leads", "2"],
    "wording": ["--messages", "20", "--characters", "1000"],
    "worked": ["--leads", "4", "--people", "20", "--officers", "3"],
}
RESULT_KEYS = {
    "accept": {"ratio_to_floor", "accepted_at_half_load"},
    "burst": {"first_texts_s", "inserts_a_lead_costs"},
    "dnc": {"numbers_per_s", "bytes_a_number", "scrubbed_per_s"},
    "parse": {"slowest_ms", "zillow"},
    "proof": {"append_per_s", "evidence_s", "verify_s"},
    "steady": {"capture_to_carrier", "create_to_owner"},
    "footprint": {"pss_mb", "second_start_s", "second_start_to_floor"},
    "gate": {"verdicts_per_s", "ratio_to_floor"},
    "import": {"import_rows_per_s", "inserts_a_row_costs"},
    "pages": {"queue", "lead", "pipeline", "team", "first_screen", "compliance"},
    "queues": {"oban"},
    "routing": {"decision", "ratio_to_floor_p50"},
    "wording": {"us_a_message", "ratio_to_floor"},
    "worked": {"leads_per_s", "inserts_a_lead_costs"},
}


def test_every_benchmark_has_a_smallest_size():
    names = {file.stem.removeprefix("bench_") for file in BENCH.glob("bench_*.py")}

    assert names - {"peer"} == set(SMALLEST)


def test_peer_benchmark_without_peer_measures_nothing_and_says_so():
    process = subprocess.run(
        [sys.executable, BENCH / "bench_peer.py"], capture_output=True, text=True, check=True
    )

    assert "nothing was measured" in process.stdout


@pytest.mark.parametrize("name", SMALLEST if os.environ.get("BENCHES") else ("burst", "gate"))
def test_benchmark_runs_and_writes_its_results(name, tmp_path):
    results = tmp_path / "results.json"

    process = subprocess.run(
        [sys.executable, BENCH / f"bench_{name}.py", *SMALLEST[name], "--json", results],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert process.returncode == 0, process.stderr[-2000:]
    line = json.loads(results.read_text())
    assert line["bench"] == name
    assert set(line) >= RESULT_KEYS[name]
    assert line["cores"] > 0

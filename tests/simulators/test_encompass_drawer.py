"""An Encompass that is started again has its files still, and goes on with them."""

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import Simulators, start_simulators
from tests.simulators.conftest import NOON


def _say(run: Simulators, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = httpx2.post(f"{run.urls['ctl']}/_sim/{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _files(run: Simulators) -> list[dict[str, object]]:
    return httpx2.get(f"{run.urls['ctl']}/_sim/enc/state", timeout=20).json()["loans"]


def _planted(run: Simulators) -> str:
    made = _say(run, "enc/seed", {"loans": [{"fields": {"1109": "310000", "4000": "Ana"}}]})
    return str(made["loans"][0])


def test_a_file_outlives_the_instance(tmp_path: Path) -> None:
    with start_simulators(folder=tmp_path) as first:
        loan = _planted(first)
        _say(first, f"enc/loans/{loan}/status", {"status": "Processing", "date": "2026-09-01"})
        before = _files(first)

    with start_simulators(folder=tmp_path) as second:
        assert _files(second) == before
        assert before[0]["lastCompleted"] == "Processing"
        other = _planted(second)
        assert len({file["loanNumber"] for file in _files(second)}) == 2
        assert other != loan


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    with start_simulators() as first:
        _planted(first)
    with start_simulators() as second:
        assert _files(second) == []
    assert list(tmp_path.iterdir()) == []


def test_a_reset_forgets_the_files_for_good(tmp_path: Path) -> None:
    with start_simulators(folder=tmp_path) as first:
        _planted(first)
        _say(first, "reset", {})
    with start_simulators(folder=tmp_path) as second:
        assert _files(second) == []


@pytest.mark.parametrize("path", ["happy", "ctc_rollback"])
def test_a_path_cut_off_by_a_restart_goes_on_and_keeps_its_dates(tmp_path: Path, path: str) -> None:
    with start_simulators(folder=tmp_path, clock=SimulatedClock(at=NOON, speed=0)) as first:
        loan = _planted(first)
        _say(first, "enc/scenario", {"loan_id": loan, "path": path, "days": 10})
        _say(first, "clock", {"advance": "P4D"})
        (begun,) = _files(first)
    assert begun["lastCompleted"] not in ("Started", "Funding")

    later = NOON + timedelta(days=60)
    with start_simulators(folder=tmp_path, clock=SimulatedClock(at=later, speed=0)) as second:
        _say(second, "enc/scenario", {"loan_id": loan, "path": path, "days": 10})
        _say(second, "clock", {"advance": "P20D"})
        (ended,) = _files(second)

    assert ended["lastCompleted"] == "Funding"
    assert ended["originationDate"] == begun["originationDate"] < "2026-12"

"""A restarted Encompass still has its loan files and continues their scenarios."""

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import Simulators, start_simulators
from tests.simulators.conftest import NOON


def _call(run: Simulators, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = httpx2.post(f"{run.urls['ctl']}/_sim/{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _list_loans(run: Simulators) -> list[dict[str, object]]:
    return httpx2.get(f"{run.urls['ctl']}/_sim/enc/state", timeout=20).json()["loans"]


def _create_loan(run: Simulators) -> str:
    seeded = _call(run, "enc/seed", {"loans": [{"fields": {"1109": "310000", "4000": "Ana"}}]})
    return str(seeded["loans"][0])


def test_loan_file_outlives_restart(tmp_path: Path) -> None:
    with start_simulators(folder=tmp_path) as first:
        loan = _create_loan(first)
        _call(first, f"enc/loans/{loan}/status", {"status": "Processing", "date": "2026-09-01"})
        before = _list_loans(first)

    with start_simulators(folder=tmp_path) as second:
        assert _list_loans(second) == before
        assert before[0]["lastCompleted"] == "Processing"
        second_loan = _create_loan(second)
        assert len({file["loanNumber"] for file in _list_loans(second)}) == 2
        assert second_loan != loan


def test_nothing_is_stored_without_folder(tmp_path: Path) -> None:
    with start_simulators() as first:
        _create_loan(first)
    with start_simulators() as second:
        assert _list_loans(second) == []
    assert list(tmp_path.iterdir()) == []


def test_reset_deletes_stored_files(tmp_path: Path) -> None:
    with start_simulators(folder=tmp_path) as first:
        _create_loan(first)
        _call(first, "reset", {})
    with start_simulators(folder=tmp_path) as second:
        assert _list_loans(second) == []


@pytest.mark.parametrize("path", ["happy", "ctc_rollback"])
def test_interrupted_scenario_continues_after_restart_and_keeps_dates(
    tmp_path: Path, path: str
) -> None:
    with start_simulators(folder=tmp_path, clock=SimulatedClock(at=NOON, speed=0)) as first:
        loan = _create_loan(first)
        _call(first, "enc/scenario", {"loan_id": loan, "path": path, "days": 10})
        _call(first, "clock", {"advance": "P4D"})
        (interrupted,) = _list_loans(first)
    assert interrupted["lastCompleted"] not in ("Started", "Funding")

    later = NOON + timedelta(days=60)
    with start_simulators(folder=tmp_path, clock=SimulatedClock(at=later, speed=0)) as second:
        _call(second, "enc/scenario", {"loan_id": loan, "path": path, "days": 10})
        _call(second, "clock", {"advance": "P20D"})
        (ended,) = _list_loans(second)

    assert ended["lastCompleted"] == "Funding"
    assert ended["originationDate"] == interrupted["originationDate"] < "2026-12"

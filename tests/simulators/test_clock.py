from collections.abc import Iterator
from datetime import timedelta

import pytest

from rooftree_simulators.simulated_clock import SimulatedClock, parse_duration
from tests.simulators.conftest import NOON


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    frozen_clock = SimulatedClock(at=NOON, speed=0)
    yield frozen_clock
    frozen_clock.stop()


def test_frozen_clock_moves_only_on_advance(clock: SimulatedClock) -> None:
    assert clock.now() == NOON
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_jobs_run_in_order_at_their_own_times(clock: SimulatedClock) -> None:
    runs: list[tuple[str, float]] = []

    def record(name: str) -> None:
        runs.append((name, (clock.now() - NOON).total_seconds()))

    clock.schedule_job(30, lambda: record("late"))
    clock.schedule_job(10, lambda: record("early"))
    clock.schedule_job(300, lambda: record("never"))
    clock.advance(60)
    assert runs == [("early", 10), ("late", 30)]


def test_job_scheduled_by_a_job_runs_in_same_advance(clock: SimulatedClock) -> None:
    times: list[float] = []

    def process() -> Iterator[float]:
        for _ in range(3):
            times.append((clock.now() - NOON).total_seconds())
            yield 20

    clock.run_process(process())
    clock.advance(30)
    assert times == [0, 20]
    clock.advance(10)
    assert times == [0, 20, 40]


def test_fast_clock_runs_jobs_on_its_own() -> None:
    import threading

    clock = SimulatedClock(at=NOON, speed=3600)
    done = threading.Event()
    clock.schedule_job(60, done.set)
    assert done.wait(5)
    assert clock.now() >= NOON + timedelta(seconds=60)
    clock.stop()


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT20S", 20), ("PT15M", 900), ("P1DT2H", 93_600), ("PT0.5S", 0.5)]
)
def test_iso_duration_is_parsed(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "20", "P1M", "PT"])
def test_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)

from collections.abc import Iterator
from datetime import timedelta

import pytest

from rooftree_simulators.simulated_clock import SimulatedClock, parse_duration
from tests.simulators.conftest import NOON


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    made = SimulatedClock(at=NOON, speed=0)
    yield made
    made.stop()


def test_a_frozen_clock_moves_only_when_told(clock: SimulatedClock) -> None:
    assert clock.now() == NOON
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_jobs_run_in_order_of_their_time_each_at_its_own_moment(clock: SimulatedClock) -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, (clock.now() - NOON).total_seconds()))

    clock.schedule_job(30, lambda: note("late"))
    clock.schedule_job(10, lambda: note("early"))
    clock.schedule_job(300, lambda: note("never"))
    clock.advance(60)
    assert seen == [("early", 10), ("late", 30)]


def test_a_job_that_schedules_another_within_the_advance_sees_it_run(clock: SimulatedClock) -> None:
    seen: list[float] = []

    def ladder() -> Iterator[float]:
        for _ in range(3):
            seen.append((clock.now() - NOON).total_seconds())
            yield 20

    clock.run_process(ladder())
    clock.advance(30)
    assert seen == [0, 20]
    clock.advance(10)
    assert seen == [0, 20, 40]


def test_a_fast_clock_runs_jobs_by_itself() -> None:
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
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "20", "P1M", "PT"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)

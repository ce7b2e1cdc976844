"""The promise clock goes by the database's time, whatever its own machine believes."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from rooftree.tasks import scheduler
from rooftree.tasks.scheduler import PeriodicJob, Scheduler

pytestmark = pytest.mark.usefixtures("committed")


def moments_of_a_clock_that_is(seconds, monkeypatch):
    """The first moment a tick is given on a machine whose time is wrong by so much."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=seconds)

    monkeypatch.setattr(scheduler, "datetime", Wrong)
    given, ticked = [], threading.Event()

    def note(at):
        given.append(at)
        ticked.set()

    ticker = Scheduler([PeriodicJob(name="note", interval_seconds=60, run=note)])
    running = threading.Thread(target=ticker.run)
    running.start()
    assert ticked.wait(10)
    ticker.stop()
    running.join()
    return given[0]


@pytest.mark.parametrize("seconds", [0, 420, -420, 86_400])
def test_a_tick_is_given_the_databases_time(seconds, monkeypatch):
    given = moments_of_a_clock_that_is(seconds, monkeypatch)

    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        right = cursor.fetchone()[0]
    assert abs(given - right) < timedelta(seconds=15)
    assert given.tzinfo == UTC or given.utcoffset() == timedelta()

"""The clock uses the database's time, not its own machine's."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from rooftree.tasks import scheduler
from rooftree.tasks.scheduler import PeriodicJob, Scheduler

pytestmark = pytest.mark.usefixtures("committed")


def first_job_time_with_clock_off_by(seconds, monkeypatch):
    """Return the first time a job gets on a machine whose time is wrong by `seconds`."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=seconds)

    monkeypatch.setattr(scheduler, "datetime", Wrong)
    times, has_run = [], threading.Event()

    def note(at):
        times.append(at)
        has_run.set()

    clock = Scheduler([PeriodicJob(name="note", interval_seconds=60, run=note)])
    running = threading.Thread(target=clock.run)
    running.start()
    assert has_run.wait(10)
    clock.stop()
    running.join()
    return times[0]


@pytest.mark.parametrize("seconds", [0, 420, -420, 86_400])
def test_job_gets_the_databases_time(seconds, monkeypatch):
    job_time = first_job_time_with_clock_off_by(seconds, monkeypatch)

    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        database_time = cursor.fetchone()[0]
    assert abs(job_time - database_time) < timedelta(seconds=15)
    assert job_time.tzinfo == UTC or job_time.utcoffset() == timedelta()

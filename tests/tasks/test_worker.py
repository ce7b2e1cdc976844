"""The worker as a real process on a real database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from rooftree.tasks import failed_jobs, orphaned_jobs
from tests.tasks import sample_tasks as sample

ALIVE = """
    select count(*) from oban_producers
     where updated_at > timezone('UTC', now()) - interval '4 s'
"""
ROOT = Path(__file__).parents[2]


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def states():
    return [state for (state,) in sql("select state::text from oban_jobs order by id")]


def notes():
    return [text for (text,) in sql("select text from task_notes order by at")]


def until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def start_worker(committed, tmp_path):
    """Starts worker processes on the test's own database; ends those that are left."""
    sql("create table if not exists task_notes (at timestamptz, text text)")
    sql("truncate task_notes")
    known = connection.settings_dict
    sign_in = known["USER"] + (f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else "")
    place = f"host={quote(str(known['HOST']), safe='')}&port={known['PORT'] or 5432}"
    address = f"postgresql://{sign_in}@/{known['NAME']}?{place}"
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "ROOFTREE_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.tasks.run_worker"], env=environment, cwd=ROOT
        )
        started.append(process)
        assert until(lambda: sql(ALIVE)[0][0] or process.poll() is not None)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    sql("drop table task_notes")
    sql("truncate oban_producers")


def test_a_task_runs_soon_after_its_commit(start_worker):
    start_worker()
    sample.write_down.enqueue(text="warm up")
    assert until(lambda: notes() == ["warm up"])

    began = time.monotonic()
    sample.write_down.enqueue(text="hello")

    assert until(lambda: notes() == ["warm up", "hello"], seconds=5)
    assert time.monotonic() - began < 2
    assert until(lambda: states() == ["completed", "completed"], seconds=5)


def test_failures_end_as_their_kind_asks(start_worker):
    start_worker()
    for how in ("refused", "misconfigured", "uncertain", "discard"):
        sample.fail.enqueue(how=how)

    assert until(lambda: states() == ["discarded", "discarded", "discarded", "cancelled"])
    assert {letter.reason for letter in failed_jobs.list_failed_jobs()} == {
        "RequestRejected: no such number",
        "Misconfigured: the account has no number",
        "OutcomeUnknown: the line went dead",
    }


def test_what_may_pass_is_tried_again(start_worker):
    start_worker()
    for how in ("try_later", "later", "bug"):
        sql("truncate task_notes")
        sample.fail_once_then_write.enqueue(how=how, text=how)
        assert until(lambda how=how: notes() == ["tried", how]), how


def test_a_dead_letter_runs_again_when_a_person_says_so(start_worker):
    start_worker()
    sample.fail.enqueue(how="refused")
    assert until(lambda: states() == ["discarded"])
    (letter,) = failed_jobs.list_failed_jobs()
    assert (letter.task, letter.arguments) == ("fail", {"how": "refused"})

    sql("update oban_jobs set args = jsonb_set(args, '{kwargs,how}', '\"discard\"')")

    assert failed_jobs.retry_failed_job(letter.id)
    assert until(lambda: states() == ["cancelled"])
    assert not failed_jobs.retry_failed_job(letter.id)


def test_a_worker_that_is_asked_to_stop_finishes_what_it_began(start_worker):
    process = start_worker()
    sample.take_a_while.enqueue(seconds=2, text="finished")
    assert until(lambda: notes() == ["began finished"])

    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
    assert notes() == ["began finished", "finished"]
    assert states() == ["completed"]


def test_a_dead_workers_task_is_rescued_and_a_live_ones_is_left_alone(start_worker):
    doomed = start_worker()
    sample.take_a_while.enqueue(seconds=60, text="lost")
    assert until(lambda: notes() == ["began lost"])
    doomed.kill()
    doomed.wait()
    sql("update oban_jobs set args = jsonb_set(args, '{kwargs,seconds}', '0')")
    start_worker()
    sample.take_a_while.enqueue(seconds=12, text="slow")
    assert until(lambda: "began slow" in notes())

    assert until(lambda: orphaned_jobs.requeue_orphaned_jobs() == 1, seconds=40)

    assert until(lambda: "lost" in notes())
    assert until(lambda: "slow" in notes())
    assert notes().count("began slow") == 1
    assert until(lambda: states() == ["completed", "completed"], seconds=5)

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


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def start_worker(committed, tmp_path):
    """Start worker processes on the test's own database; kill the remaining ones afterwards."""
    sql("create table if not exists task_notes (at timestamptz, text text)")
    sql("truncate task_notes")
    config = connection.settings_dict
    login = config["USER"] + (f":{quote(config['PASSWORD'])}" if config["PASSWORD"] else "")
    server = f"host={quote(str(config['HOST']), safe='')}&port={config['PORT'] or 5432}"
    address = f"postgresql://{login}@/{config['NAME']}?{server}"
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
        assert wait_until(lambda: sql(ALIVE)[0][0] or process.poll() is not None)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    sql("drop table task_notes")
    sql("truncate oban_producers")


def test_task_runs_soon_after_its_commit(start_worker):
    start_worker()
    sample.write_down.enqueue(text="warm up")
    assert wait_until(lambda: notes() == ["warm up"])

    began = time.monotonic()
    sample.write_down.enqueue(text="hello")

    assert wait_until(lambda: notes() == ["warm up", "hello"], seconds=5)
    assert time.monotonic() - began < 2
    assert wait_until(lambda: states() == ["completed", "completed"], seconds=5)


def test_failed_task_ends_as_its_kind_of_failure_requires(start_worker):
    start_worker()
    for failure in ("refused", "misconfigured", "uncertain", "discard"):
        sample.fail.enqueue(failure=failure)

    assert wait_until(lambda: states() == ["discarded", "discarded", "discarded", "cancelled"])
    assert {job.reason for job in failed_jobs.list_failed_jobs()} == {
        "RequestRejected: no such number",
        "Misconfigured: the account has no number",
        "OutcomeUnknown: the line went dead",
    }


def test_transient_failure_is_retried(start_worker):
    start_worker()
    for failure in ("try_later", "later", "bug"):
        sql("truncate task_notes")
        sample.fail_once_then_write.enqueue(failure=failure, text=failure)
        assert wait_until(lambda failure=failure: notes() == ["tried", failure]), failure


def test_failed_job_runs_again_after_a_manual_retry(start_worker):
    start_worker()
    sample.fail.enqueue(failure="refused")
    assert wait_until(lambda: states() == ["discarded"])
    (job,) = failed_jobs.list_failed_jobs()
    assert (job.task, job.arguments) == ("fail", {"failure": "refused"})

    sql("update oban_jobs set args = jsonb_set(args, '{kwargs,failure}', '\"discard\"')")

    assert failed_jobs.retry_failed_job(job.id)
    assert wait_until(lambda: states() == ["cancelled"])
    assert not failed_jobs.retry_failed_job(job.id)


def test_stopping_worker_finishes_its_running_task(start_worker):
    process = start_worker()
    sample.take_a_while.enqueue(seconds=2, text="finished")
    assert wait_until(lambda: notes() == ["began finished"])

    process.send_signal(signal.SIGTERM)

    assert process.wait(15) == 0
    assert notes() == ["began finished", "finished"]
    assert states() == ["completed"]


def test_dead_workers_task_is_requeued_and_a_live_workers_is_not(start_worker):
    doomed = start_worker()
    sample.take_a_while.enqueue(seconds=60, text="lost")
    assert wait_until(lambda: notes() == ["began lost"])
    doomed.kill()
    doomed.wait()
    sql("update oban_jobs set args = jsonb_set(args, '{kwargs,seconds}', '0')")
    start_worker()
    sample.take_a_while.enqueue(seconds=12, text="slow")
    assert wait_until(lambda: "began slow" in notes())

    assert wait_until(lambda: orphaned_jobs.requeue_orphaned_jobs() == 1, seconds=40)

    assert wait_until(lambda: "lost" in notes())
    assert wait_until(lambda: "slow" in notes())
    assert notes().count("began slow") == 1
    assert wait_until(lambda: states() == ["completed", "completed"], seconds=5)

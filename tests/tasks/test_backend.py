from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from oban.job import Job
from oban.schema import install_sql

from rooftree.tasks import task_registry
from rooftree.tasks.backend import oban_priority
from rooftree.tasks.drain_queue import queued_task_names, run_queued_tasks
from tests.tasks import sample_tasks as sample

COLUMNS = "state, queue, worker, attempt, max_attempts, priority, args, meta, tags, errors"


def rows(columns="state, queue"):
    with connection.cursor() as cursor:
        cursor.execute(f"select {columns} from oban_jobs order by id")
        return cursor.fetchall()


def notes():
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists task_notes (at timestamptz, text text)")
        cursor.execute("select text from task_notes order by at")
        return [text for (text,) in cursor.fetchall()]


@pytest.mark.django_db
def test_task_is_a_row_and_runs_once():
    result = sample.write_down.enqueue(text="hello")

    assert rows("id::text, state, queue") == [(result.id, "available", "now")]
    assert run_queued_tasks() == 1
    assert notes() == ["hello"]
    assert run_queued_tasks() == 0
    assert rows() == [("completed", "now")]


@pytest.mark.django_db
def test_task_is_not_queued_when_its_transaction_rolls_back():
    with pytest.raises(RuntimeError), transaction.atomic():
        sample.write_down.enqueue(text="hello")
        raise RuntimeError

    assert queued_task_names() == []


@pytest.mark.django_db
def test_queued_row_equals_the_one_oban_writes():
    from importlib.resources import files

    from psycopg.types.json import Jsonb

    sample.write_down.enqueue(text="hello")
    ((_, queue, worker, _, max_attempts, priority, _, *_),) = rows(COLUMNS)
    values = {
        "worker": worker, "queue": queue, "priority": priority, "max_attempts": max_attempts,
        "args": Jsonb({"task": "write_down", "args": [], "kwargs": {"text": "hello"}}),
        "meta": Jsonb({}), "tags": [], "state": "available",
        "inserted_at": None, "scheduled_at": None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute((files("oban.queries") / "insert_job.sql").read_text(), values)

    our_row, oban_row = rows(COLUMNS)
    assert our_row == oban_row


@pytest.mark.django_db
def test_deferred_task_waits_for_its_time():
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    sample.write_down.using(run_after=tomorrow).enqueue(text="later")

    assert rows() == [("scheduled", "now")]
    assert run_queued_tasks() == 0
    assert run_queued_tasks(by=tomorrow + timedelta(seconds=1)) == 1
    assert notes() == ["later"]


@pytest.mark.django_db
def test_urgent_tasks_run_first():
    sample.write_down.using(priority=-100).enqueue(text="third")
    sample.write_down.enqueue(text="second")
    sample.write_down_first.enqueue(text="first")

    run_queued_tasks()

    assert notes() == ["first", "second", "third"]


@pytest.mark.parametrize(("django", "oban"), [(100, 0), (0, 5), (-100, 9)])
def test_priorities_convert_to_obans(django, oban):
    assert oban_priority(django) == oban


@pytest.mark.django_db
def test_priority_that_would_stop_the_queue_is_rejected():
    with pytest.raises(ValueError, match="priority"):
        Job(worker="x", priority=10)
    sample.write_down.enqueue(text="hello")
    with (
        pytest.raises(IntegrityError, match="priority_is_fetchable"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("update oban_jobs set priority = 10")


@pytest.mark.django_db
def test_task_queued_by_a_task_also_runs():
    sample.write_then_queue.enqueue(text="one")

    assert run_queued_tasks() == 2
    assert notes() == ["one", "after one"]


@pytest.mark.django_db
def test_draining_raises_the_tasks_error_and_keeps_its_row():
    sample.fail.enqueue(failure="bug")

    with pytest.raises(ValueError, match="Ben Ortiz"):
        run_queued_tasks()

    assert queued_task_names() == ["fail"]


@pytest.mark.django_db
def test_row_finds_its_renamed_function():
    sample.renamed.enqueue(text="hello")

    assert queued_task_names() == ["an_older_name"]
    run_queued_tasks()
    assert notes() == ["hello"]


def test_two_tasks_cannot_share_a_name():
    with pytest.raises(task_registry.DuplicateTaskName, match="write_down"):
        task_registry.register_task("write_down", test_two_tasks_cannot_share_a_name)

    assert task_registry.find_task("write_down", below=[]) is sample.write_down.func


@pytest.mark.django_db
def test_installing_the_queue_twice_changes_nothing():
    describe = (
        "select string_agg(column_name || data_type, ',' order by table_name, column_name)"
        " from information_schema.columns where table_name like 'oban%'"
    )
    with connection.cursor() as cursor:
        cursor.execute(describe)
        before = cursor.fetchone()
        cursor.execute(install_sql())
        cursor.execute(describe)
        assert cursor.fetchone() == before

"""Batches: a bad item does not affect the others, and threads share the request id."""

import pytest
from django.db import OperationalError, connection, transaction

from rooftree.core.log_formatting import request_id
from rooftree.tasks.batches import run_batch, run_concurrently

pytestmark = pytest.mark.django_db
TOO_MANY = 1_000_000
# What PostgreSQL raises when its lock table is full. Filling it would fail the tests of others.
RUN_OUT = "do $$ begin raise exception using errcode = 'out_of_memory'; end $$"
GIVE_UP = "do $$ begin raise exception using errcode = 'deadlock_detected'; end $$"


def test_item_over_the_database_limits_is_set_aside_and_the_others_finish():
    failed: list[int] = []

    done = run_batch(
        take_locks, [1, TOO_MANY, 2], on_failure=lambda number, _: failed.append(number)
    )

    assert (done, failed) == ([1, 2], [TOO_MANY])


def test_deadlock_sets_nothing_aside_and_is_raised():
    failed: list[int] = []

    def act(numbers):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(GIVE_UP)
        return numbers

    with pytest.raises(OperationalError):
        run_batch(act, [1, 2], on_failure=lambda number, _: failed.append(number))

    assert failed == []


def test_concurrent_calls_keep_the_request_id():
    token = request_id.set("asked-by-a-borrower")
    try:
        assert run_concurrently(lambda _: request_id.get(), [1, 2]) == ["asked-by-a-borrower"] * 2
    finally:
        request_id.reset(token)


def take_locks(numbers):
    with transaction.atomic(), connection.cursor() as cursor:
        for number in numbers:
            if number == TOO_MANY:
                cursor.execute(RUN_OUT)
    return numbers

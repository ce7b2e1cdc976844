"""Many at once: what one of them does to the others, and what all of them have in common."""

import pytest
from django.db import OperationalError, connection, transaction

from rooftree.core.log_formatting import request_id
from rooftree.tasks.batches import run_batch, run_concurrently

pytestmark = pytest.mark.django_db
TOO_MANY = 1_000_000  # locks; the database has some thousands
HOLD = "select count(pg_advisory_xact_lock(n)) from generate_series(1, %s) n"
GIVE_UP = "do $$ begin raise exception using errcode = 'deadlock_detected'; end $$"


def test_one_that_asks_too_much_of_the_database_is_put_aside_and_the_others_are_done():
    strange: list[int] = []

    done = run_batch(held, [1, TOO_MANY, 2], on_failure=lambda one, _: strange.append(one))

    assert (done, strange) == ([1, 2], [TOO_MANY])


def test_where_another_was_in_the_way_nothing_is_put_aside_and_all_is_tried_again():
    strange: list[int] = []

    def act(some):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(GIVE_UP)
        return some

    with pytest.raises(OperationalError):
        run_batch(act, [1, 2], on_failure=lambda one, _: strange.append(one))

    assert strange == []


def test_what_is_done_at_once_is_logged_under_the_request_that_began_it():
    token = request_id.set("asked-by-a-borrower")
    try:
        assert run_concurrently(lambda _: request_id.get(), [1, 2]) == ["asked-by-a-borrower"] * 2
    finally:
        request_id.reset(token)


def held(numbers):
    with transaction.atomic(), connection.cursor() as cursor:
        for number in numbers:
            cursor.execute(HOLD, [number])
    return numbers

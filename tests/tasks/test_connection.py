"""A connection that the server has ended is noticed before it is used."""

import pytest
from django.db import close_old_connections, connection

from rooftree.leads.models import Source
from tests import make


@pytest.fixture
def other(committed):
    """A second connection to the same database."""
    made = connection.copy()
    yield made
    made.close()


def a_request_begins():
    connection.health_check_enabled = True
    close_old_connections()


def test_a_request_after_the_server_ended_the_connection_gets_a_new_one(other):
    make.source()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (ended,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 10000)", [ended])

    a_request_begins()

    assert Source.objects.count() == 1


def test_a_connection_that_lives_is_kept(committed):
    make.source()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (before,) = cursor.fetchone()

    a_request_begins()

    assert connection.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        assert cursor.fetchone() == (before,)

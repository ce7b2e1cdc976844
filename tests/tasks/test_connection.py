"""A connection that the server has closed is replaced before it is used."""

import pytest
from django.db import close_old_connections, connection

from rooftree.leads.models import Source
from tests import make


@pytest.fixture
def other(committed):
    """A second connection to the same database."""
    copy = connection.copy()
    yield copy
    copy.close()


def begin_request():
    connection.health_check_enabled = True
    close_old_connections()


def test_request_gets_a_new_connection_after_the_server_ended_the_old_one(other):
    make.source()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (ended,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 10000)", [ended])

    begin_request()

    assert Source.objects.count() == 1


def test_live_connection_is_kept(committed):
    make.source()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (before,) = cursor.fetchone()

    begin_request()

    assert connection.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        assert cursor.fetchone() == (before,)

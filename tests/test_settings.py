"""The settings as another process meets them."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_suite_runs_on_a_real_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        assert int(cursor.fetchone()[0]) >= 160000

"""What somebody with every right on the database could do: change the ledger past its guard."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def ledger() -> Iterator[None]:
    """Inside, the database lets events be changed; the chain must tell afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("alter table event disable trigger event_append_only")
        yield
        cursor.execute("alter table event enable trigger event_append_only")

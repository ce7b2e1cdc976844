"""Check that a connection is alive by polling its socket, without a query."""

import select
from typing import Any

from psycopg.pq import TransactionStatus


def is_known_alive(connection: Any) -> bool:
    """Return True if the server is still connected: one that hung up leaves something to read.

    Only an idle connection with nothing to read is known to be alive; for any other, run a query.
    """
    if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return not poller.poll(0)

"""Whether a connection still lives, seen from here and not asked over it."""

import select
from typing import Any

from psycopg.pq import TransactionStatus


def is_known_alive(held: Any) -> bool:
    """Whether the server is still there: one that hung up has left something to read.

    Only a connection that is idle and silent can be taken at its word; ask any other.
    """
    if held.closed or held.info.transaction_status != TransactionStatus.IDLE:
        return False
    sees = select.poll()
    sees.register(held.fileno(), select.POLLIN)
    return not sees.poll(0)

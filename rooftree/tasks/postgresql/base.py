"""Django's PostgreSQL, with room for all our statements among those that are kept prepared.

The driver keeps a hundred; the path of a lead has more, and each would push out the next.
Whether a connection still lives is seen from here, not asked over it before every request.
"""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

KEPT = 400


class DatabaseWrapper(base.DatabaseWrapper):
    """What `ENGINE` names."""

    def get_new_connection(self, conn_params: Any) -> Any:
        """A new connection, as Django makes it."""
        made = super().get_new_connection(conn_params)
        made.prepared_max = KEPT
        return made

    def is_usable(self) -> bool:
        """Whether the server is still there: one that hung up has left something to read.

        Only a connection that is idle and silent is taken at its word; any other is asked.
        """
        held = self.connection
        if held is None or held.closed or held.info.transaction_status != TransactionStatus.IDLE:
            return bool(super().is_usable())
        sees = select.poll()
        sees.register(held.fileno(), select.POLLIN)
        return bool(super().is_usable()) if sees.poll(0) else True

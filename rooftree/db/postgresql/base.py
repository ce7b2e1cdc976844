"""Django's PostgreSQL backend, with more prepared statements and cheaper connection checks.

The driver keeps a hundred prepared statements; a lead's critical path has more, and they would
evict each other. A connection is checked by its socket instead of a query before every request.
"""

from typing import Any

from django.db.backends.postgresql import base

from rooftree.db.connection_check import is_known_alive

MAX_PREPARED_STATEMENTS = 400


class DatabaseWrapper(base.DatabaseWrapper):
    """The database backend that `ENGINE` names."""

    active_role = ""  # the role assumed now, if any (`db_role`)
    role_prefix: str | None = None  # the account with roles; "" without any, None before the query

    def get_new_connection(self, conn_params: Any) -> Any:
        """Open a new connection."""
        new_connection = super().get_new_connection(conn_params)
        new_connection.prepared_max = MAX_PREPARED_STATEMENTS
        self.active_role, self.role_prefix = "", None
        return new_connection

    def is_usable(self) -> bool:
        """Return True if the connection is alive; runs a query only if its socket cannot tell."""
        is_alive = self.connection and is_known_alive(self.connection)
        return bool(is_alive) or bool(super().is_usable())

"""Django's PostgreSQL, with room for all our statements among those that are kept prepared.

The driver keeps a hundred; the path of a lead has more, and each would push out the next.
Whether a connection still lives is seen from here, not asked over it before every request.
"""

from typing import Any

from django.db.backends.postgresql import base

from rooftree.db.connection_check import is_known_alive

MAX_PREPARED_STATEMENTS = 400


class DatabaseWrapper(base.DatabaseWrapper):
    """What `ENGINE` names."""

    active_role = ""  # held now, beside what the program may by itself (`right`)
    role_prefix: str | None = None  # whose rights those are; "" has none, None was not asked yet

    def get_new_connection(self, conn_params: Any) -> Any:
        """A new connection, as Django makes it."""
        made = super().get_new_connection(conn_params)
        made.prepared_max = MAX_PREPARED_STATEMENTS
        self.active_role, self.role_prefix = "", None
        return made

    def is_usable(self) -> bool:
        """Whether the server is still there; it is asked only where that cannot be seen."""
        held = self.connection
        return bool(held and is_known_alive(held)) or bool(super().is_usable())

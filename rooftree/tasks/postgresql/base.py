"""Django's PostgreSQL, with room for all our statements among those that are kept prepared.

The driver keeps a hundred; the path of a lead has more, and each would push out the next.
"""

from typing import Any

from django.db.backends.postgresql import base

KEPT = 400


class DatabaseWrapper(base.DatabaseWrapper):
    """What `ENGINE` names."""

    def get_new_connection(self, conn_params: Any) -> Any:
        """A new connection, as Django makes it."""
        made = super().get_new_connection(conn_params)
        made.prepared_max = KEPT
        return made

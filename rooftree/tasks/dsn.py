"""The database's address for connections that are not Django's."""

from django.db import connections

from rooftree.core.database_address import libpq_dsn


def database_dsn() -> str:
    """The default database as one libpq string; LISTEN needs a direct connection."""
    return libpq_dsn(connections["default"].settings_dict)

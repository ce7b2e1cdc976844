"""The database's address for connections that are not Django's."""

from django.db import connections

from rooftree.core.database_address import for_libpq


def conninfo() -> str:
    """The default database as one libpq string; LISTEN needs a direct connection."""
    return for_libpq(connections["default"].settings_dict)

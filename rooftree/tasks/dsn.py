"""The database's connection string, for connections that are not Django's."""

from django.db import connections

from rooftree.core.database_address import libpq_dsn


def database_dsn() -> str:
    """Return the libpq connection string of the default database; LISTEN needs a direct one."""
    return libpq_dsn(connections["default"].settings_dict)

"""The database's address for connections that are not Django's."""

from typing import Any

from django.db import connections
from psycopg.conninfo import make_conninfo


def conninfo() -> str:
    """The default database as one libpq string; LISTEN needs a direct connection."""
    known: dict[str, Any] = connections["default"].settings_dict
    parts = {
        "dbname": known["NAME"],
        "user": known["USER"],
        "password": known["PASSWORD"],
        "host": known["HOST"],
        "port": known["PORT"],
    }
    plain = {key: str(value) for key, value in parts.items() if value}
    options = {key: str(value) for key, value in known["OPTIONS"].items() if _is_libpq(value)}
    return make_conninfo("", **plain, **options)


def _is_libpq(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)

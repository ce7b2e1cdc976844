"""A database's address for libpq, out of Django's description of the database."""

from collections.abc import Mapping
from typing import Any

from psycopg.conninfo import make_conninfo

LIBPQ_KEYWORDS = {
    "NAME": "dbname",
    "USER": "user",
    "PASSWORD": "password",
    "HOST": "host",
    "PORT": "port",
}
# What the driver itself is told in the same place; libpq refuses words it does not know.
PREPARED: Mapping[str, bool | int] = {"server_side_binding": True, "prepare_threshold": 3}
NOT_PREPARED: Mapping[str, bool | int] = {"server_side_binding": False}


def libpq_dsn(known: Mapping[str, Any]) -> str:
    """The database of one entry of `DATABASES` as a connection string."""
    plain = {theirs: str(known[ours]) for ours, theirs in LIBPQ_KEYWORDS.items() if known.get(ours)}
    options = {name: str(value) for name, value in known["OPTIONS"].items() if name not in PREPARED}
    return make_conninfo("", **plain, **options)

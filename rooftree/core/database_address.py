"""Build libpq connection strings from Django's database configuration."""

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
# Options for the driver in the same place; libpq rejects keywords that it does not know.
PREPARED: Mapping[str, bool | int] = {"server_side_binding": True, "prepare_threshold": 3}
NOT_PREPARED: Mapping[str, bool | int] = {"server_side_binding": False}


def libpq_dsn(config: Mapping[str, Any]) -> str:
    """Return the connection string for one entry of `DATABASES`."""
    keywords = {
        keyword: str(config[key]) for key, keyword in LIBPQ_KEYWORDS.items() if config.get(key)
    }
    options = {
        name: str(value) for name, value in config["OPTIONS"].items() if name not in PREPARED
    }
    return make_conninfo("", **keywords, **options)

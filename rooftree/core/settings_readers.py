"""Strict readers of the environment: a wrong or missing value is one plain sentence."""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

READ_NAMES: set[str] = set()  # every name that was asked for, set or not


class ConfigurationError(Exception):
    """Something in the environment is missing or unusable. The text is fit to show."""


def text(name: str, default: str | None = None) -> str:
    """The value of `name`, trimmed; `default` when it is unset or empty.

    Raises `Unconfigured` when there is neither.
    """
    READ_NAMES.add(name)
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set; docs/settings.md says what it is for.")
    return default


def flag(name: str, *, default: bool) -> bool:
    """A yes or a no, written as `true`, `false`, `yes`, `no`, `1` or `0`."""
    value = text(name, "").lower()
    if not value:
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise ConfigurationError(f"{name} must be true or false, not {value!r}.")


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`, both allowed."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ConfigurationError(f"{name} must be a number from {least} to {most}, not {value!r}.")
    return int(value)


def choice(name: str, allowed: Sequence[str], default: str | None = None) -> str:
    """One of a few words."""
    value = text(name, default)
    if value not in allowed:
        raise ConfigurationError(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
    return value


def comma_separated(name: str, default: str = "") -> list[str]:
    """Values parted by commas; none gives an empty list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def base_url(name: str, default: str | None = None) -> str:
    """An http(s) address without a slash at its end."""
    value = text(name, default).rstrip("/")
    if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise ConfigurationError(f"{name} must be an address such as https://leads.example.com.")
    return value


def simulated_upstreams(name: str) -> dict[str, str]:
    """Addresses of simulated vendors by key, as `meta_lead_ads=http://127.0.0.1:9001`.

    Credentials go there, so only this machine will do.
    """
    found = dict(part.partition("=")[::2] for part in comma_separated(name))
    for address in found.values():
        if urlsplit(address).hostname not in {"127.0.0.1", "localhost"}:
            raise ConfigurationError(
                f"{name} names simulators of this machine, as key=http://127.0.0.1:9001."
            )
    return found


def database_config(address: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's description of the PostgreSQL database at `address`, the value of `name`.

    Raises `Unconfigured` for any other engine: row locks, NOTIFY and
    constraints of PostgreSQL are what keeps leads safe.
    """
    example = "postgresql://user:password@host/name"
    if address.split("://")[0] not in {"postgres", "postgresql"}:
        raise ConfigurationError(f"{name} must look like {example}; only PostgreSQL will do.")
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    except ProgrammingError as problem:
        raise ConfigurationError(f"{name} cannot be read; write {example}.") from problem
    if not parts.get("dbname"):
        raise ConfigurationError(f"{name} names no database; write {example}.")
    return {
        "ENGINE": "rooftree.db.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }

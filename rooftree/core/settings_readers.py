"""Strict readers of environment variables; a wrong or missing value raises one plain sentence."""

import os
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

READ_NAMES: set[str] = set()  # every name that was read, set or not


class ConfigurationError(Exception):
    """A setting in the environment is missing or invalid. The text is fit to show."""


def text(name: str, default: str | None = None) -> str:
    """Return the value of `name`, trimmed, or `default` when it is unset or empty.

    Raises `ConfigurationError` when there is neither.
    """
    READ_NAMES.add(name)
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set; see docs/settings.md.")
    return default


def flag(name: str, *, default: bool) -> bool:
    """Return a boolean, written as `true`, `false`, `yes`, `no`, `1` or `0`."""
    value = text(name, "").lower()
    if not value:
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise ConfigurationError(f"{name} must be true or false, not {value!r}.")


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`, inclusive."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ConfigurationError(f"{name} must be a number from {least} to {most}, not {value!r}.")
    return int(value)


def choice(name: str, allowed: Sequence[str], default: str | None = None) -> str:
    """Return one of the allowed words."""
    value = text(name, default)
    if value not in allowed:
        raise ConfigurationError(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
    return value


def comma_separated(name: str, default: str = "") -> list[str]:
    """Return a list of comma-separated values, empty when the setting is."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return comma-separated IP networks and addresses."""
    try:
        return tuple(ip_network(part) for part in comma_separated(name))
    except ValueError as problem:
        raise ConfigurationError(
            f"{name} must list networks, such as 10.0.0.0/8, 2001:db8::/32: {problem}."
        ) from None


def base_url(name: str, default: str | None = None) -> str:
    """Return an http(s) URL without a slash at its end."""
    value = text(name, default).rstrip("/")
    if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise ConfigurationError(f"{name} must be a URL such as https://leads.example.com.")
    return value


def simulated_upstreams(name: str) -> dict[str, str]:
    """Return URLs of simulated vendors by key, as `meta_lead_ads=http://127.0.0.1:9001`.

    Credentials are sent to them, so only this machine is allowed.
    """
    urls = dict(part.partition("=")[::2] for part in comma_separated(name))
    for url in urls.values():
        if urlsplit(url).hostname not in {"127.0.0.1", "localhost"}:
            raise ConfigurationError(
                f"{name} must list simulators on this machine, as key=http://127.0.0.1:9001."
            )
    return urls


def database_config(address: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return Django's database configuration for `address`, the value of the setting `name`.

    Raises `ConfigurationError` for any engine but PostgreSQL: leads are safe because of its row
    locks, NOTIFY and constraints.
    """
    example = "postgresql://user:password@host/name"
    if address.split("://")[0] not in {"postgres", "postgresql"}:
        raise ConfigurationError(f"{name} must look like {example}; only PostgreSQL is supported.")
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(address).items()}
    except ProgrammingError as problem:
        raise ConfigurationError(
            f"{name} can't be parsed; it must look like {example}."
        ) from problem
    if not parts.get("dbname"):
        raise ConfigurationError(f"{name} has no database name; it must look like {example}.")
    return {
        "ENGINE": "rooftree.db.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }

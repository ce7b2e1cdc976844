"""The settings of a connection: typed text checked and stored as the LOS's profile says."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from rooftree.core.user_errors import InvalidField
from rooftree.los.adapters import load_profile
from rooftree.los.los_adapter import LosProfile, SettingField
from rooftree.los.models import Connection

CHECKED_KEYS = ("base_url", "instance")  # where the credentials go


class InvalidConnection(InvalidField):
    """A connection's details are invalid."""


def validate_settings(profile: LosProfile, details: Mapping[str, str]) -> None:
    """Check the settings of a connection, credentials aside. Raises `InvalidConnection`."""
    credentials = profile.credential_keys
    for field in profile.fields:
        if field.key not in credentials:
            _validate_field(field, details.get(field.key, "").strip())
    names = profile.exactly_one_of
    if names and sum(bool(details.get(name, "").strip()) for name in names) != 1:
        labels = [field.label for field in map(profile.field, names) if field]
        raise InvalidConnection(names[0], f"Enter one of these: {', '.join(labels)}.")


def set_values(row: Connection, profile: LosProfile, details: Mapping[str, str]) -> list[str]:
    """Put settings into a connection, unsaved; return the keys that changed."""
    changed = []
    for key in profile.column_keys:
        value = details[key].strip() if key in details else getattr(row, key)
        if value != getattr(row, key):
            setattr(row, key, value)
            changed.append(key)
    options = dict(row.options)
    for key in profile.option_keys:
        field = profile.field(key)
        if field is not None and key in details:
            text = details[key].strip()
            typed: Any = int(text) if field.is_number and text else text
            options[key] = text == "yes" if field.is_yes_no else typed
    options = {key: value for key, value in options.items() if value not in ("", None)}
    names = row.options.keys() | options.keys()
    changed += [key for key in sorted(names) if row.options.get(key) != options.get(key)]
    row.options = options
    return changed


def read_values(row: Connection) -> dict[str, str]:
    """Return the settings of a connection as text, credentials aside, as its form shows them."""
    profile = load_profile(row.los)
    values = {key: str(getattr(row, key)) for key in profile.column_keys}
    for key in profile.option_keys:
        value = row.options.get(key, "")
        values[key] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return values


def credentials_on_file(row: Connection) -> dict[str, bool]:
    """Return which credentials are on file, never their values."""
    stored = json.loads(row.credentials or "{}")
    return {key: bool(stored.get(key)) for key in load_profile(row.los).credential_keys}


def list_missing_credentials(row: Connection) -> list[str]:
    """Return the labels of the required credentials that are not on file."""
    profile, on_file = load_profile(row.los), credentials_on_file(row)
    fields = (profile.field(key) for key, is_stored in on_file.items() if not is_stored)
    return [field.label for field in fields if field and field.is_required]


def is_elsewhere(changed: Iterable[str], profile: LosProfile) -> bool:
    """Return True if the credentials would go to another address."""
    places = {field.key for field in profile.fields if field.is_place} | {*CHECKED_KEYS}
    return not places.isdisjoint(changed)


def _validate_field(field: SettingField, text: str) -> None:
    if not text and field.is_required:
        problem = field.problem or f"Enter {field.label[:1].lower()}{field.label[1:]}."
        raise InvalidConnection(field.key, problem)
    if field.key == "base_url" and text:
        _validate_address(text)
    if text and field.pattern and not re.fullmatch(field.pattern, text):
        raise InvalidConnection(field.key, field.problem or f"Check {field.label}.")
    if text and field.is_number and not text.isdigit():
        raise InvalidConnection(field.key, field.problem or "Enter a whole number.")
    if text and field.choices and text not in dict(field.choices):
        raise InvalidConnection(field.key, "Choose one of the options.")


def _validate_address(text: str) -> None:
    address = urlsplit(text)
    is_local = address.hostname in {"localhost", "127.0.0.1"}
    if not (address.scheme == "https" or (address.scheme == "http" and is_local)):
        raise InvalidConnection(
            "base_url", "Enter the API address, such as https://api.example.com."
        )

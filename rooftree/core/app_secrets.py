"""Secrets: from the environment in production, generated once and stored for a demo."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from rooftree.core.data_dir import create_data_dir as make_home
from rooftree.core.settings_readers import ConfigurationError, text


def new_signing_key() -> str:
    """Return a new random key for signing sessions and links."""
    return secrets.token_urlsafe(48)


def new_field_key() -> str:
    """Return a new Fernet key for encrypting single columns."""
    return Fernet.generate_key().decode()


def require_secret(name: str) -> str:
    """Return a secret of a production installation. Raises `ConfigurationError` without it."""
    value = text(name, "")
    if not value:
        raise ConfigurationError(
            f"{name} is not set. Run `rooftree setup`, which generates it once, or set it; "
            "`rooftree demo` runs Rooftree with made-up data."
        )
    return value


def load_or_create_secret(name: str, *, folder: Path, make: Callable[[], str]) -> str:
    """Return a secret of a demo: from the environment, else the one stored in `folder`.

    The first caller creates it, readable by its owner alone; two concurrent callers get the
    same one.
    """
    value = text(name, "")
    if value:
        return value
    file = folder / name.lower()
    if not file.exists():
        _store_secret(file, make())
    return file.read_text().strip()


def validate_field_keys(values: list[str]) -> list[str]:
    """Return `values` after checking that each is a Fernet key; the first encrypts, all decrypt.

    Raises `ConfigurationError` for an invalid key and for an empty list.
    """
    for value in values:
        try:
            Fernet(value)
        except ValueError as problem:
            raise ConfigurationError(
                "ROOFTREE_FIELD_KEYS has a value that is not a Fernet key "
                "(32 bytes in URL-safe base64)."
            ) from problem
    if not values:
        raise ConfigurationError("ROOFTREE_FIELD_KEYS has no key.")
    return values


def _store_secret(path: Path, value: str) -> None:
    make_home(path.parent.parent)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first; its secret stays
    finally:
        draft.unlink()

"""A text column whose value is encrypted at rest, for secrets and vendor credentials."""

from functools import cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@cache
def _field_cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


def encrypt_text(text: str) -> str:
    """Encrypt text, so that only a process with `FIELD_KEYS` can read it."""
    return _field_cipher().encrypt(text.encode()).decode()


def decrypt_text(text: str) -> str:
    """Decrypt text from `encrypt_text`. Raises `InvalidToken` without the right key."""
    return _field_cipher().decrypt(text.encode()).decode()


class SealedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that only a process with `FIELD_KEYS` can read.

    The first key encrypts and every key decrypts, so put a new key in front to rotate keys.
    The column cannot be searched: look-ups use a hash column.
    """

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        return decrypt_text(value)

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return encrypt_text(str(value))

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
    """Text that only a process holding `FIELD_KEYS` can read."""
    return _field_cipher().encrypt(text.encode()).decode()


def decrypt_text(text: str) -> str:
    """What `seal` made, readable again."""
    return _field_cipher().decrypt(text.encode()).decode()


class SealedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that only a process holding `FIELD_KEYS` can read.

    The first key encrypts; every key decrypts, so keys are rotated by putting a
    new one in front. Cannot be searched: look-ups go through a hash column.
    """

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        return decrypt_text(value)

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return encrypt_text(str(value))

"""Passkeys: the options for the browser, and the check of its response.

Only passkeys that the device finds by itself and that verify their owner (fingerprint, face
or PIN) are accepted, so a passkey counts as both factors. allauth and fido2 do the work; the
challenge is in the session, where allauth expects it.
"""

import json
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db.transaction import atomic

from rooftree.org import second_factor
from rooftree.org.models import User
from rooftree.org.second_factor import MAX_PASSKEY_NAME, Factor

MAX_CREDENTIAL_LENGTH = 20_000  # characters of a response; real ones are a tenth of it


class PasskeyRejected(Exception):
    """The browser's response is not valid. The text can be shown to the user."""


def registration_options(user: User) -> dict[str, Any]:
    """Return the options for a browser to create a passkey for this user."""
    return _plain_options(auth.begin_registration(user, passwordless=True))


def register_passkey(*, user: User, answer: str, name: str, at: datetime) -> list[str]:
    """Store a new passkey; return recovery codes if the user had none.

    Raises `PasskeyRejected`.
    """
    credential = _parse_credential(answer)
    try:
        auth.parse_registration_response(credential)
        binding = auth.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError) as problem:
        raise PasskeyRejected("The device’s response is invalid. Try again.") from problem
    if not binding.is_user_verified():
        raise PasskeyRejected("This device didn’t verify you. Use one with a screen lock.")
    with atomic():
        auth.WebAuthn.add(user, name.strip()[:MAX_PASSKEY_NAME] or "Passkey", credential)
        return second_factor.record_factor_added(user=user, factor=Factor.PASSKEY, at=at)


def authentication_options() -> dict[str, Any]:
    """Return the options for a browser to sign in with any passkey for this site."""
    return _plain_options(auth.begin_authentication(user=None))


def authenticate_passkey(answer: str, *, at: datetime) -> User:
    """Return the user whose passkey signed the challenge. Raises `PasskeyRejected`."""
    credential = _parse_credential(answer)
    try:
        auth.parse_authentication_response(credential)
        user: User = auth.extract_user_from_response(credential)
        row = auth.complete_authentication(user, credential)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise PasskeyRejected(
            "This passkey isn’t registered here. Sign in another way."
        ) from problem
    if not user.is_active:
        raise PasskeyRejected("This account is deactivated. Ask your administrator.")
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=at)
    return user


def rename_passkey(*, row: Authenticator, name: str) -> None:
    """Rename a passkey."""
    Authenticator.objects.filter(pk=row.pk).update(
        data={**row.data, "name": name.strip()[:MAX_PASSKEY_NAME] or "Passkey"}
    )


def _parse_credential(answer: str) -> dict[str, Any]:
    try:
        credential = json.loads(answer) if len(answer) <= MAX_CREDENTIAL_LENGTH else None
    except ValueError:
        credential = None
    if not isinstance(credential, dict):
        raise PasskeyRejected("The device didn’t respond. Try again.")
    return credential


def _plain_options(options: Any) -> dict[str, Any]:
    """Convert fido2 options, which behave like mappings, to plain dicts."""
    return {key: _plain_value(value) for key, value in dict(options).items()}


def _plain_value(value: Any) -> Any:
    if hasattr(value, "items"):
        return _plain_options(value)
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return str(value) if isinstance(value, str) else value

"""Passkeys: what the browser is asked, and what its answer proves.

A passkey is one that the device finds by itself and that checks its owner (a finger, a
face or a PIN), so it stands for both factors. The work is done by allauth and fido2;
the challenge waits in the session, where allauth looks for it.
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

MAX_CREDENTIAL_LENGTH = 20_000  # characters of an answer; real ones are a tenth of it


class PasskeyRejected(Exception):
    """The browser's answer proves nothing. The text is fit to show."""


def registration_options(user: User) -> dict[str, Any]:
    """What a browser needs to make a passkey for this user."""
    return _plain_options(auth.begin_registration(user, passwordless=True))


def register_passkey(*, user: User, answer: str, name: str, at: datetime) -> list[str]:
    """Keep the passkey a browser has made; recovery codes when there were none.

    Raises `NotProved`.
    """
    credential = _parse_credential(answer)
    try:
        auth.parse_registration_response(credential)
        binding = auth.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError) as problem:
        raise PasskeyRejected("The device did not answer as expected. Try again.") from problem
    if not binding.is_user_verified():
        raise PasskeyRejected("This device did not check that it is you; use one with a lock.")
    with atomic():
        auth.WebAuthn.add(user, name.strip()[:MAX_PASSKEY_NAME] or "Passkey", credential)
        return second_factor.record_factor_added(user=user, factor=Factor.PASSKEY, at=at)


def authentication_options() -> dict[str, Any]:
    """What a browser needs to sign in by any passkey of ours that it holds."""
    return _plain_options(auth.begin_authentication(user=None))


def authenticate_passkey(answer: str, *, at: datetime) -> User:
    """Whose passkey has answered the challenge. Raises `NotProved`."""
    credential = _parse_credential(answer)
    try:
        auth.parse_authentication_response(credential)
        user = auth.extract_user_from_response(credential)
        row = auth.complete_authentication(user, credential)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise PasskeyRejected("This passkey is not known here. Sign in another way.") from problem
    if not user.is_active:
        raise PasskeyRejected("This account is closed. Ask your administrator.")
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=at)
    return user


def rename_passkey(*, row: Authenticator, name: str) -> None:
    """Give a passkey another name."""
    Authenticator.objects.filter(pk=row.pk).update(
        data={**row.data, "name": name.strip()[:MAX_PASSKEY_NAME] or "Passkey"}
    )


def _parse_credential(answer: str) -> dict[str, Any]:
    try:
        credential = json.loads(answer) if len(answer) <= MAX_CREDENTIAL_LENGTH else None
    except ValueError:
        credential = None
    if not isinstance(credential, dict):
        raise PasskeyRejected("The device gave no answer. Try again.")
    return credential


def _plain_options(options: Any) -> dict[str, Any]:
    """Options of fido2, which answer like mappings, as plain ones."""
    return {key: _plain_value(value) for key, value in dict(options).items()}


def _plain_value(value: Any) -> Any:
    if hasattr(value, "items"):
        return _plain_options(value)
    if isinstance(value, list | tuple):
        return [_plain_value(one) for one in value]
    return str(value) if isinstance(value, str) else value

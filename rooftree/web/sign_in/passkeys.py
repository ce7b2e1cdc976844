"""Passkeys: the options for the browser, and the check of its response.

Only passkeys that the device finds by itself and that verify their owner (fingerprint, face
or PIN) are accepted, so a passkey counts as both factors. fido2 checks the responses, the
challenge is in the session, and the rows are allauth's, in allauth's format.
"""

import json
from datetime import datetime
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.transaction import atomic
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from rooftree.org import second_factor
from rooftree.org.models import User
from rooftree.org.second_factor import MAX_PASSKEY_NAME, Factor

CHALLENGE_KEY = "passkey_challenge"  # in the session
MAX_CREDENTIAL_LENGTH = 20_000  # characters of a response; real ones are a tenth of it


class PasskeyRejected(Exception):
    """The browser's response is not valid. The text can be shown to the user."""


def registration_options(user: User, session: SessionBase) -> dict[str, Any]:
    """Return the options for a browser to create a passkey for this user."""
    options, session[CHALLENGE_KEY] = _server().register_begin(
        user=PublicKeyCredentialUserEntity(
            **get_adapter().get_public_key_credential_user_entity(user)
        ),
        credentials=[_credential_data(row) for row in _passkeys(user)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        extensions={"credProps": True},
    )
    return _plain_options(options)


def register_passkey(
    *, user: User, answer: str, name: str, session: SessionBase, at: datetime
) -> list[str]:
    """Store a new passkey; return recovery codes if the user had none.

    Raises `PasskeyRejected`.
    """
    credential = _parse_credential(answer)
    try:
        _server().register_complete(  # also refuses a device that did not verify its owner
            session[CHALLENGE_KEY], RegistrationResponse.from_dict(credential)
        )
    except (ValidationError, ValueError, TypeError, KeyError, AssertionError) as problem:
        raise PasskeyRejected("The device’s response is invalid. Try again.") from problem
    del session[CHALLENGE_KEY]
    with atomic():
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": name.strip()[:MAX_PASSKEY_NAME] or "Passkey", "credential": credential},
        )
        return second_factor.record_factor_added(user=user, factor=Factor.PASSKEY, at=at)


def authentication_options(session: SessionBase) -> dict[str, Any]:
    """Return the options for a browser to sign in with any passkey for this site."""
    options, session[CHALLENGE_KEY] = _server().authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED
    )
    return _plain_options(options)


def authenticate_passkey(answer: str, *, session: SessionBase, at: datetime) -> User:
    """Return the user whose passkey signed the challenge. Raises `PasskeyRejected`."""
    credential = _parse_credential(answer)
    try:
        response = AuthenticationResponse.from_dict(credential)
        user = User.objects.get(pk=websafe_decode(credential["response"]["userHandle"]).decode())
        row_by_id = {_credential_data(row).credential_id: row for row in _passkeys(user)}
        binding = _server().authenticate_complete(
            session[CHALLENGE_KEY], [*map(_credential_data, row_by_id.values())], response
        )
        row = row_by_id[binding.credential_id]
    except (
        ValidationError, ValueError, TypeError, KeyError, AttributeError, User.DoesNotExist
    ) as problem:  # fmt: skip
        raise PasskeyRejected(
            "This passkey isn’t registered here. Sign in another way."
        ) from problem
    del session[CHALLENGE_KEY]
    if not user.is_active:
        raise PasskeyRejected("This account is deactivated. Ask your administrator.")
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=at)
    return user


def rename_passkey(*, row: Authenticator, name: str) -> None:
    """Rename a passkey."""
    Authenticator.objects.filter(pk=row.pk).update(
        data={**row.data, "name": name.strip()[:MAX_PASSKEY_NAME] or "Passkey"}
    )


def _server() -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(**get_adapter().get_public_key_credential_rp_entity())
    )


def _passkeys(user: User) -> QuerySet[Authenticator]:
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(
        user=user, type=Authenticator.Type.WEBAUTHN
    )
    return rows


def _credential_data(row: Authenticator) -> AttestedCredentialData:
    """Return the public key and its id, from the stored response to the registration."""
    credential: dict[str, Any] = row.data["credential"]
    attestation = RegistrationResponse.from_dict(credential).response.attestation_object
    data: AttestedCredentialData | None = attestation.auth_data.credential_data
    if data is None:
        raise ValueError("The stored passkey has no public key.")
    return data


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

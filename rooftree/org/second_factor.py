"""Second factors of staff sign-in: authenticator app, passkeys and recovery codes.

Rows and recovery codes are allauth's; cryptography computes the app's codes. Rooftree adds that
a code works only once: its counter is stored in the row, under a lock, so any number of
processes agree.
"""

import base64
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.db.transaction import atomic

from rooftree.ledger.write_events import write_event
from rooftree.org import staff_sessions
from rooftree.org.models import User

TOTP_PERIOD = 30  # seconds that an app shows one code
TOTP_DIGITS = 6
TOTP_SECRET_BYTES = 20  # RFC 4226 section 4, R6
RECOVERY_SEED_BYTES = 40
IGNORED_IN_CODES = str.maketrans("", "", string.punctuation + string.whitespace)
MAX_PASSKEY_NAME = 60  # characters


class Factor(StrEnum):
    """The kinds of proof beyond the password."""

    APP = "app"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


class InvalidCode(Exception):
    """The code doesn't match. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledFactors:
    """The second factors of one member of staff."""

    app: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    @property
    def is_sufficient(self) -> bool:
        """True if the user has a factor that sign-in can ask for."""
        return self.app is not None or bool(self.passkeys)


def enrolled_factors(user: User) -> EnrolledFactors:
    """Return the second factors of a user, passkeys in the order they were added."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "id"))
    row_by_type = {row.type: row for row in rows}
    codes = row_by_type.get(Authenticator.Type.RECOVERY_CODES)
    return EnrolledFactors(
        app=row_by_type.get(Authenticator.Type.TOTP),
        passkeys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
    )


def is_required_for(user: User) -> bool:
    """Return True if this user needs more than a password to sign in."""
    return not users_without_factor([user])


def users_without_factor(users: Iterable[User]) -> list[User]:
    """Return the users who have neither an app nor a passkey."""
    candidates = list(users)
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    enrolled_ids = set(
        Authenticator.objects.filter(user__in=candidates, type__in=kinds).values_list(
            "user", flat=True
        )
    )
    return [user for user in candidates if user.pk not in enrolled_ids]


def generate_app_secret() -> str:
    """Generate a base32 secret for an app, not yet enrolled."""
    return base64.b32encode(secrets.token_bytes(TOTP_SECRET_BYTES)).decode()


def enroll_app(*, user: User, secret: str, code: str, at: datetime) -> list[str]:
    """Enroll an app; return new recovery codes, or an empty list if the user already has some.

    Replaces an earlier app. Raises `InvalidCode` when the code is not the current one of
    the secret.
    """
    counter = _matching_counter(secret, code, at, after=0)
    if counter is None:
        raise InvalidCode("This code doesn't match. Check your phone's clock and try again.")
    with atomic():
        Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.TOTP,
            data={"secret": get_adapter().encrypt(secret), "counter": counter},
        )
        return record_factor_added(user=user, factor=Factor.APP, at=at)


def record_factor_added(*, user: User, factor: Factor, at: datetime) -> list[str]:
    """Record an added factor; return new recovery codes if the user had none."""
    write_event(
        "org.user.factor_added", at=at, actor=f"user:{user.pk}", user_id=user.pk, factor=factor
    )
    rows = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES)
    return [] if rows.exists() else replace_recovery_codes(user=user, at=at)


def replace_recovery_codes(*, user: User, at: datetime) -> list[str]:
    """Create ten single-use recovery codes and void the earlier ones."""
    with atomic():
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        seed = get_adapter().encrypt(secrets.token_hex(RECOVERY_SEED_BYTES))
        row = Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.RECOVERY_CODES,
            data={"seed": seed, "used_mask": 0},
        )
        codes: list[str] = row.wrap().get_unused_codes()
        write_event("org.user.recovery_codes_made", at=at, actor=f"user:{user.pk}", user_id=user.pk)
    return codes


def verify_code(*, user: User, code: str, at: datetime) -> Factor | None:
    """Use up an app code or recovery code; return which it was, or None if it doesn't match.

    An app code works once, even when tried again in the same half minute.
    """
    with atomic():
        rows = Authenticator.objects.select_for_update().filter(user=user)
        row = rows.filter(type=Authenticator.Type.TOTP).first()
        if row is not None:
            secret = get_adapter().decrypt(row.data["secret"])
            counter = _matching_counter(secret, code, at, after=row.data.get("counter", 0))
            if counter is not None:
                row.data["counter"], row.last_used_at = counter, at
                row.save(update_fields=["data", "last_used_at"])
                return Factor.APP
        codes = rows.filter(type=Authenticator.Type.RECOVERY_CODES).first()
        if codes is not None and codes.wrap().validate_code(code):
            Authenticator.objects.filter(pk=codes.pk).update(last_used_at=at)
            write_event(
                "org.user.recovery_code_used", at=at, actor=f"user:{user.pk}", user_id=user.pk
            )
            return Factor.RECOVERY_CODE
    return None


def remove_factor(*, user: User, row: Authenticator, at: datetime) -> None:
    """Remove one factor of the user; removing the last one also voids the recovery codes."""
    factor = Factor.APP if row.type == Authenticator.Type.TOTP else Factor.PASSKEY
    with atomic():
        Authenticator.objects.filter(user=user, pk=row.pk).delete()
        if not is_required_for(user):
            Authenticator.objects.filter(user=user).delete()
        write_event(
            "org.user.factor_removed",
            at=at,
            actor=f"user:{user.pk}",
            user_id=user.pk,
            factor=factor,
        )


def reset_factors(*, user: User, by: User, at: datetime) -> None:
    """Remove every factor of a user who lost them, and end the user's sessions."""
    with atomic():
        Authenticator.objects.filter(user=user).delete()
        write_event("org.user.factors_reset", at=at, actor=f"user:{by.pk}", user_id=user.pk)
        staff_sessions.end_all_sessions(user.pk, reason="factors", at=at)


def _matching_counter(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    """Return the half minute of the code: the previous, current or next one; else None."""
    hotp = HOTP(base64.b32decode(secret, casefold=True), TOTP_DIGITS, SHA1())  # noqa: S303 (RFC 6238)
    typed_code = code.translate(IGNORED_IN_CODES).encode(errors="replace")
    now = int(at.timestamp()) // TOTP_PERIOD
    for counter in (now - 1, now, now + 1):
        if counter > after and secrets.compare_digest(typed_code, hotp.generate(counter)):
            return counter
    return None

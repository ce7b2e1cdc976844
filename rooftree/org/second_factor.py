"""What proves who somebody is, besides a password: an app's codes, passkeys, recovery codes.

Rows and arithmetic are allauth's. That a code works once is ours: it is kept in the row,
under its lock, so that any number of processes agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.db.transaction import atomic

from rooftree.ledger.write_events import write_event
from rooftree.org import staff_sessions
from rooftree.org.models import User

TOTP_PERIOD = 30  # seconds that an app shows a code
MAX_PASSKEY_NAME = 60  # characters


class Factor(StrEnum):
    """How somebody proved who they are, beyond the password."""

    APP = "app"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


class InvalidCode(Exception):
    """The code does not fit. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledFactors:
    """What one member of staff has."""

    app: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    @property
    def is_sufficient(self) -> bool:
        """Whether somebody who has it can be asked for it."""
        return self.app is not None or bool(self.passkeys)


def enrolled_factors(user: User) -> EnrolledFactors:
    """The second factors of a user, passkeys in the order they were added."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "id"))
    first = {row.type: row for row in rows}
    codes = first.get(Authenticator.Type.RECOVERY_CODES)
    return EnrolledFactors(
        app=first.get(Authenticator.Type.TOTP),
        passkeys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        codes_left=len(RecoveryCodes(codes).get_unused_codes()) if codes else 0,
    )


def is_required_for(user: User) -> bool:
    """Whether signing in by password is not enough for this user."""
    return not users_without_factor([user])


def users_without_factor(users: Iterable[User]) -> list[User]:
    """Those of some users who have neither an app nor a passkey."""
    people = list(users)
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    have = set(
        Authenticator.objects.filter(user__in=people, type__in=kinds).values_list("user", flat=True)
    )
    return [person for person in people if person.pk not in have]


def generate_app_secret() -> str:
    """A secret for an app, base32, not yet anybody's."""
    return str(totp.generate_totp_secret())


def enroll_app(*, user: User, secret: str, code: str, at: datetime) -> list[str]:
    """The app is the user's from now on; the recovery codes when they are new, else none.

    An app held before is replaced. Raises `WrongCode` when the app does not show the
    code that the secret gives now.
    """
    counter = _matching_counter(secret, code, at, after=0)
    if counter is None:
        raise InvalidCode("This is not the code of now. Check the clock of your phone.")
    with atomic():
        Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
        row = totp.TOTP.activate(user, secret).instance
        row.data["counter"] = counter
        row.save(update_fields=["data"])
        return record_factor_added(user=user, factor=Factor.APP, at=at)


def record_factor_added(*, user: User, factor: Factor, at: datetime) -> list[str]:
    """A factor was added: write it down; recovery codes when there were none."""
    write_event(
        "org.user.factor_added", at=at, actor=f"user:{user.pk}", user_id=user.pk, factor=factor
    )
    rows = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES)
    return [] if rows.exists() else replace_recovery_codes(user=user, at=at)


def replace_recovery_codes(*, user: User, at: datetime) -> list[str]:
    """Ten recovery codes, each good once; those of before are worth nothing any more."""
    with atomic():
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
        write_event("org.user.recovery_codes_made", at=at, actor=f"user:{user.pk}", user_id=user.pk)
    return codes


def verify_code(*, user: User, code: str, at: datetime) -> Factor | None:
    """Use up a code of the user's app or a recovery code; which it was, or None.

    A code of the app works once, whoever else tries it in the same half minute.
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
        if codes is not None and RecoveryCodes(codes).validate_code(code):
            Authenticator.objects.filter(pk=codes.pk).update(last_used_at=at)
            write_event(
                "org.user.recovery_code_used", at=at, actor=f"user:{user.pk}", user_id=user.pk
            )
            return Factor.RECOVERY_CODE
    return None


def remove_factor(*, user: User, row: Authenticator, at: datetime) -> None:
    """The user gives one factor up; the last one takes the recovery codes along."""
    what = Factor.APP if row.type == Authenticator.Type.TOTP else Factor.PASSKEY
    with atomic():
        Authenticator.objects.filter(user=user, pk=row.pk).delete()
        if not is_required_for(user):
            Authenticator.objects.filter(user=user).delete()
        write_event(
            "org.user.factor_removed", at=at, actor=f"user:{user.pk}", user_id=user.pk, factor=what
        )


def reset_factors(*, user: User, by: User, at: datetime) -> None:
    """An administrator takes away the factors of somebody who has lost them; sessions end."""
    with atomic():
        Authenticator.objects.filter(user=user).delete()
        write_event("org.user.factors_reset", at=at, actor=f"user:{by.pk}", user_id=user.pk)
        staff_sessions.end_all_sessions(user.pk, reason="factors", at=at)


def _matching_counter(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    """The half minute whose code this is, among the one before, now and the next."""
    now = int(at.timestamp()) // TOTP_PERIOD
    for counter in (now - 1, now, now + 1):
        said = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if counter > after and compare_user_code(actual=code, expected=said):
            return counter
    return None

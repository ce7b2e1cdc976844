"""Staff passwords, which only their owner knows: set through single-use links."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.exceptions import ValidationError
from django.db.transaction import atomic
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_encode

from rooftree.ledger.write_events import write_event
from rooftree.org import staff_sessions
from rooftree.org.models import User
from rooftree.org.staff_accounts import StaffChangeError

# Anyone can request a self-service link, so it expires sooner than an administrator's link.
SELF_SERVICE_LIFETIME = timedelta(hours=1)


class SelfServiceTokens(PasswordResetTokenGenerator):
    """Tokens of links that users request by email."""

    key_salt = "rooftree.org.passwords.SelfServiceTokens"

    def check_token(self, user: Any, token: str | None) -> bool:
        """Return True if the token is this user's and younger than an hour."""
        if not token or not super().check_token(user, token):
            return False
        age = self._num_seconds(self._now()) - base36_to_int(token.split("-")[0])
        return bool(age <= SELF_SERVICE_LIFETIME.total_seconds())


class ResetTokens(PasswordResetTokenGenerator):
    """Tokens of both kinds of links."""

    def check_token(self, user: Any, token: str | None) -> bool:
        """Return True if the token lets this user set a password."""
        generators = (default_token_generator, SELF_SERVICE_TOKENS)
        return any(generator.check_token(user, token) for generator in generators)


SELF_SERVICE_TOKENS, RESET_TOKENS = SelfServiceTokens(), ResetTokens()


def create_reset_link(user: User, *, by: User, at: datetime) -> tuple[str, str]:
    """Create the two parts of a link for setting a password: user id and token.

    The link expires on use, when the user signs in, and after three days. Raises
    `StaffChangeError` for a user who has left.
    """
    if not user.is_active:
        raise StaffChangeError(f"{user.name} no longer works here and can't sign in.")
    write_event("org.user.password_link_made", at=at, actor=f"user:{by.pk}", user_id=user.pk)
    return _encode_user_id(user), default_token_generator.make_token(user)


def create_self_service_link(user: User, *, at: datetime) -> tuple[str, str]:
    """Create a link the user requested; it also expires after an hour."""
    write_event("org.user.password_link_asked", at=at, actor=f"user:{user.pk}", user_id=user.pk)
    return _encode_user_id(user), SELF_SERVICE_TOKENS.make_token(user)


def find_resettable_user(email: str) -> User | None:
    """Find the active user with a password to reset; None if there isn't one."""
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    return user if user is not None and user.has_usable_password() else None


def change_password(
    *, user: User, old_password: str, new_password: str, except_key: str | None, at: datetime
) -> None:
    """Replace the user's password and end every other session.

    Args:
        except_key: the key of the session to keep.

    Raises `StaffChangeError` for a wrong old password or a new one that is too weak.
    """
    if not user.check_password(old_password):
        raise StaffChangeError("This isn't your current password.")
    try:
        validate_password(new_password, user)
    except ValidationError as problem:
        raise StaffChangeError(" ".join(problem.messages)) from problem
    with atomic():
        user.set_password(new_password)
        User.objects.filter(pk=user.pk).update(password=user.password)
        record_password_set(user, at=at, except_key=except_key)


def record_password_set(user: User, *, at: datetime, except_key: str | None = None) -> None:
    """Record that the user set a password, and end the user's other sessions."""
    with atomic():
        write_event("org.user.password_set", at=at, actor=f"user:{user.pk}", user_id=user.pk)
        staff_sessions.end_all_sessions(user.pk, reason="password", at=at, except_key=except_key)


def _encode_user_id(user: User) -> str:
    return urlsafe_base64_encode(force_bytes(user.pk))

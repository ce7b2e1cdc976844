"""Passwords nobody but their owner ever knows: chosen by a link that is good once."""

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

SELF_SERVICE_LIFETIME = timedelta(
    hours=1
)  # one that anybody can have sent is shorter than a colleague's


class SelfServiceTokens(PasswordResetTokenGenerator):
    """Tokens of links that a user asked for by e-mail."""

    key_salt = "rooftree.org.passwords.SelfServiceTokens"

    def check_token(self, user: Any, token: str | None) -> bool:
        """Whether the token is this user's and younger than an hour."""
        if not token or not super().check_token(user, token):
            return False
        age = self._num_seconds(self._now()) - base36_to_int(token.split("-")[0])
        return bool(age <= SELF_SERVICE_LIFETIME.total_seconds())


class ResetTokens(PasswordResetTokenGenerator):
    """Tokens of either kind of link."""

    def check_token(self, user: Any, token: str | None) -> bool:
        """Whether the token opens the page where this user chooses a password."""
        either = (default_token_generator, SELF_SERVICE_TOKENS)
        return any(tokens.check_token(user, token) for tokens in either)


SELF_SERVICE_TOKENS, RESET_TOKENS = SelfServiceTokens(), ResetTokens()


def create_reset_link(user: User, *, by: User, at: datetime) -> tuple[str, str]:
    """The two parts of the link by which a user sets a password: who, and the token.

    It ends when used, when the user signs in, and after three days. Raises
    `CannotChange` for somebody who has left.
    """
    if not user.is_active:
        raise StaffChangeError(f"{user.name} has left and cannot sign in.")
    write_event("org.user.password_link_made", at=at, actor=f"user:{by.pk}", user_id=user.pk)
    return _encode_user_id(user), default_token_generator.make_token(user)


def create_self_service_link(user: User, *, at: datetime) -> tuple[str, str]:
    """The same, asked for by the user; it ends after an hour as well."""
    write_event("org.user.password_link_asked", at=at, actor=f"user:{user.pk}", user_id=user.pk)
    return _encode_user_id(user), SELF_SERVICE_TOKENS.make_token(user)


def find_resettable_user(email: str) -> User | None:
    """The user a reset may be mailed to: here, and with a password to forget."""
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    return user if user is not None and user.has_usable_password() else None


def change_password(*, user: User, old: str, new: str, but: str | None, at: datetime) -> None:
    """The user chooses another password; every other session ends.

    Args:
        but: the key of the session that goes on.

    Raises `CannotChange` for a wrong old one, or a new one that is too weak.
    """
    if not user.check_password(old):
        raise StaffChangeError("This is not your password of now.")
    try:
        validate_password(new, user)
    except ValidationError as problem:
        raise StaffChangeError(" ".join(problem.messages)) from problem
    with atomic():
        user.set_password(new)
        User.objects.filter(pk=user.pk).update(password=user.password)
        record_password_set(user, at=at, but=but)


def record_password_set(user: User, *, at: datetime, but: str | None = None) -> None:
    """The user has set a password: written down, and whoever is signed in elsewhere is out."""
    with atomic():
        write_event("org.user.password_set", at=at, actor=f"user:{user.pk}", user_id=user.pk)
        staff_sessions.end_all_sessions(user.pk, reason="password", at=at, except_key=but)


def _encode_user_id(user: User) -> str:
    return urlsafe_base64_encode(force_bytes(user.pk))

"""Passwords nobody but their owner ever knows: a link, good once and for three days."""

from datetime import datetime

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from rooftree.ledger.write import write
from rooftree.org.models import User
from rooftree.org.people import CannotChange


def link_for(user: User, *, by: User, at: datetime) -> tuple[str, str]:
    """The two parts of the link by which a user sets a password: who, and the token.

    It ends when used, when the user signs in, and after three days. Raises
    `CannotChange` for somebody who has left.
    """
    if not user.is_active:
        raise CannotChange(f"{user.name} has left and cannot sign in.")
    write("org.user.password_link_made", at=at, actor=f"user:{by.pk}", user_id=user.pk)
    who = urlsafe_base64_encode(force_bytes(user.pk))
    return who, default_token_generator.make_token(user)


def note_chosen(user: User, *, at: datetime) -> None:
    """The owner of the link has set a password."""
    write("org.user.password_set", at=at, actor=f"user:{user.pk}", user_id=user.pk)

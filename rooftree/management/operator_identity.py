"""Identify the user responsible for a shell command and check their permission."""

from rooftree.management.command_base import UsageError
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission


def require_operator(email: str, *, verb: str) -> User:
    """Return the active user with a work email. Raises `UsageError` without the permission."""
    user = User.objects.filter(is_active=True, email__iexact=email.strip()).first()
    if user is None:
        raise UsageError(f"{email} isn't an active user here.")
    if not has_permission(user, verb):
        raise UsageError(f"{email} doesn't have permission to do this.")
    return user

"""Who answers for what is done from the shell: a named person with the right to do it."""

from rooftree.management.command_base import UsageError
from rooftree.org.models import User
from rooftree.routing.permissions import has_permission


def require_operator(email: str, *, verb: str) -> User:
    """The person of a work e-mail. Raises `Wrong` when there is none, or they may not."""
    by = User.objects.filter(is_active=True, email__iexact=email.strip()).first()
    if by is None:
        raise UsageError(f"{email} is nobody who signs in here; name one who answers for it.")
    if not has_permission(by, verb):
        raise UsageError(f"{email} may not do this; name one who may.")
    return by

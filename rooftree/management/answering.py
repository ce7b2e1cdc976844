"""Who answers for what is done from the shell: a named person with the right to do it."""

from rooftree.management.base import Wrong
from rooftree.org.models import User
from rooftree.routing.visible import may


def who_answers(email: str, *, verb: str) -> User:
    """The person of a work e-mail. Raises `Wrong` when there is none, or they may not."""
    by = User.objects.filter(is_active=True, email__iexact=email.strip()).first()
    if by is None:
        raise Wrong(f"{email} is nobody who signs in here; name one who answers for it.")
    if not may(by, verb):
        raise Wrong(f"{email} may not do this; name one who may.")
    return by

"""Load the signed-in user with their officer and branch in one query."""

from uuid import UUID

from django.contrib.auth.backends import ModelBackend

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import User

_USER_QUERY = PreparedQuery(
    lambda user_id: User.objects.select_related("officer", "branch").filter(pk=user_id),
    user_id=UUID,
)


class StaffBackend(ModelBackend):
    """Django's password sign-in; the user comes with their officer and branch."""

    def get_user(self, user_id: UUID) -> User | None:
        """Return the user of a session; None if they can no longer sign in."""
        user = _USER_QUERY.first(user_id=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

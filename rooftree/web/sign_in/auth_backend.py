"""Reading the signed-in user with what every page needs of them, in one query."""

from uuid import UUID

from django.contrib.auth.backends import ModelBackend

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.models import User

_USER_QUERY = PreparedQuery(
    lambda user_id: User.objects.select_related("officer", "branch").filter(pk=user_id),
    user_id=UUID,
)


class StaffBackend(ModelBackend):
    """Django's own sign-in by password; the user comes with their officer and branch."""

    def get_user(self, user_id: UUID) -> User | None:
        """The user of a session; None once they may not sign in any more."""
        user = _USER_QUERY.first(user_id=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

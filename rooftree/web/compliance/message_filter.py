"""The filters of the messages to review: a name, the reason, the medium and the officer."""

from django.db.models import QuerySet
from django.http import QueryDict

from rooftree.org.models import User
from rooftree.outreach.messages.required_actions import REQUIRED_ACTIONS
from rooftree.outreach.models import Message
from rooftree.web.lists.url_filter import (
    FilterForm,
    UrlFilter,
    list_officer_choices,
    narrow_by_name,
)
from rooftree.web.shared.staff_forms import choice_field, text_field

MEDIA = {"text": "Text", "email": "Email"}


class MessageFilterForm(FilterForm):
    """The filters of the messages to review."""

    q = text_field("Borrower", required=False, max_length=80)
    reason = choice_field("Reason", (), required=False)
    medium = choice_field("Channel", [("", "Any"), *MEDIA.items()], required=False)
    officer = choice_field("Loan officer", (), required=False)

    def __init__(self, user: User, data: QueryDict, messages: QuerySet[Message]) -> None:
        super().__init__(data)
        self.offer("reason", lambda: _list_reasons(messages))
        self.offer("officer", lambda: list_officer_choices(user))


class MessageFilter(UrlFilter):
    """The filters that a URL sets on the messages to review.

    Args:
        messages: every message in review that the user can see.
    """

    def __init__(self, user: User, data: QueryDict, messages: QuerySet[Message]) -> None:
        super().__init__(MessageFilterForm(user, data, messages))

    def narrow_messages(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        """Return the messages that the filters leave."""
        fields = {"reason": "verdict__reason", "medium": "medium", "officer": "lead__officer"}
        for name, field in fields.items():
            if name in self.values:
                messages = messages.filter(**{field: self.values[name]})
        return narrow_by_name(messages, self.values.get("q", ""), "lead__person")


def _list_reasons(messages: QuerySet[Message]) -> list[tuple[str, str]]:
    """Return the reasons that stopped a message in review, as choices."""
    keys = messages.exclude(verdict=None).order_by("verdict__reason")
    reasons = keys.values_list("verdict__reason", flat=True).distinct()
    titles = {key: action.title for key, action in REQUIRED_ACTIONS.items()}
    return [(key, titles.get(key, key.replace("_", " ").capitalize())) for key in reasons]

"""The filters of the possible duplicates: a name, what matched, and the loan officer."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from rooftree.leads.models import Lead, PossibleDuplicate
from rooftree.org.models import User
from rooftree.web.lists.url_filter import (
    FilterForm,
    UrlFilter,
    list_officer_choices,
    narrow_by_name,
)
from rooftree.web.shared.staff_forms import choice_field, text_field

MATCHES = {
    "phone": ("Same phone", Q(speaks_for__startswith="same phone")),
    "email": ("Same email", Q(speaks_for__contains="email")),
    "address": ("Same street address", Q(speaks_for__endswith="same street address")),
    "zip": ("Same ZIP", Q(speaks_for__contains="same ZIP")),
    "owner": ("Number may have a new owner", ~Q(number="")),
}


class DuplicateFilterForm(FilterForm):
    """The filters of the possible duplicates."""

    q = text_field("Name", required=False, max_length=80)
    match = choice_field(
        "What matched",
        [("", "Any"), *((key, label) for key, (label, _) in MATCHES.items())],
        required=False,
    )
    officer = choice_field("Loan officer", (), required=False)

    def __init__(self, user: User, data: QueryDict) -> None:
        super().__init__(data)
        self.offer("officer", lambda: list_officer_choices(user))


class DuplicateFilter(UrlFilter):
    """The filters that a URL sets on the possible duplicates."""

    def __init__(self, user: User, data: QueryDict) -> None:
        super().__init__(DuplicateFilterForm(user, data))

    def narrow_pairs(self, pairs: QuerySet[PossibleDuplicate]) -> QuerySet[PossibleDuplicate]:
        """Return the pairs that the filters leave."""
        if "match" in self.values:
            pairs = pairs.filter(MATCHES[self.values["match"]][1])
        pairs = narrow_by_name(pairs, self.values.get("q", ""), "older", "newer")
        if "officer" in self.values:
            leads = Lead.objects.filter(
                Q(person=OuterRef("older")) | Q(person=OuterRef("newer")),
                officer=UUID(self.values["officer"]),
            )
            pairs = pairs.filter(Exists(leads))
        return pairs

"""Which number and which address of a person we use: the one they stated last, first.

Read from what is loaded already: pages prefetch `person__phones` and `person__emails`, the
path of a lead loads them by `load`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.models import Email, Person, Phone

CONTACT_QUERIES: dict[str, PreparedQuery[Any]] = {
    "phones": PreparedQuery(
        lambda people: Phone.objects.filter(person__in=people), people=list[UUID]
    ),
    "emails": PreparedQuery(
        lambda people: Email.objects.filter(person__in=people), people=list[UUID]
    ),
}


def prefetch_contacts(people: Iterable[Person], *names: str) -> None:
    """Load `phones` or `emails` of people as `prefetch_related` does, by a text made once."""
    for name in names:
        wanted = [person for person in people if name not in _prefetch_cache(person)]
        found: dict[UUID, list[Any]] = defaultdict(list)
        if wanted:
            for row in CONTACT_QUERIES[name].all(people=list({one.pk for one in wanted})):
                found[row.person_id].append(row)
        for one in wanted:
            rows = getattr(one, name).all()
            rows._result_cache, rows._prefetch_done = found[one.pk], True
            _prefetch_cache(one)[name] = rows


def _prefetch_cache(person: Person) -> dict[str, Any]:
    held: dict[str, Any] = person.__dict__.setdefault("_prefetched_objects_cache", {})
    return held


def usable_phones(person: Person) -> list[Phone]:
    """The numbers that are theirs, the one to use first."""
    theirs = [phone for phone in person.phones.all() if phone.unlinked_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))


def usable_emails(person: Person) -> list[Email]:
    """The addresses that take our e-mail, the one to use first."""
    theirs = [email for email in person.emails.all() if email.bounced_at is None]
    return sorted(theirs, key=lambda one: (not one.is_primary, one.given_at))

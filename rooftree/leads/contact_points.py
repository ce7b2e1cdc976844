"""The usable phone numbers and email addresses of a person, the primary one first.

Uses rows already loaded: pages prefetch `person__phones` and `person__emails`, and lead
intake loads them with `prefetch_contacts`.
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
    """Load `phones` or `emails` of people like `prefetch_related`, with a prepared query."""
    for name in names:
        missing = [person for person in people if name not in _prefetch_cache(person)]
        rows_by_person: dict[UUID, list[Any]] = defaultdict(list)
        if missing:
            for row in CONTACT_QUERIES[name].all(people=list({person.pk for person in missing})):
                rows_by_person[row.person_id].append(row)
        for person in missing:
            rows = getattr(person, name).all()
            rows._result_cache, rows._prefetch_done = rows_by_person[person.pk], True
            _prefetch_cache(person)[name] = rows


def _prefetch_cache(person: Person) -> dict[str, Any]:
    cache: dict[str, Any] = person.__dict__.setdefault("_prefetched_objects_cache", {})
    return cache


def usable_phones(person: Person) -> list[Phone]:
    """Return a person's linked numbers, primary first, then oldest first."""
    phones = [phone for phone in person.phones.all() if phone.unlinked_at is None]
    return sorted(phones, key=lambda phone: (not phone.is_primary, phone.given_at))


def usable_emails(person: Person) -> list[Email]:
    """Return a person's addresses that never bounced, primary first, then oldest first."""
    emails = [email for email in person.emails.all() if email.bounced_at is None]
    return sorted(emails, key=lambda email: (not email.is_primary, email.given_at))

"""The usable phone numbers and email addresses of a person, the primary one first.

Uses rows already loaded, with `prefetch_contacts`.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from rooftree.db.prepared_queries import PreparedQuery, prefetch_rows
from rooftree.leads.models import Email, Person, Phone

CONTACT_QUERIES: dict[str, PreparedQuery[Any]] = {
    "phones": PreparedQuery(
        lambda owners: Phone.objects.filter(person__in=owners), owners=list[UUID]
    ),
    "emails": PreparedQuery(
        lambda owners: Email.objects.filter(person__in=owners), owners=list[UUID]
    ),
}


def prefetch_contacts(people: Collection[Person], *names: str) -> None:
    """Load `phones` or `emails` of people like `prefetch_related`, with a prepared query."""
    for name in names:
        prefetch_rows(people, name, CONTACT_QUERIES[name])


def usable_phones(person: Person) -> list[Phone]:
    """Return a person's linked numbers, primary first, then oldest first."""
    phones = [phone for phone in person.phones.all() if phone.unlinked_at is None]
    return sorted(phones, key=lambda phone: (not phone.is_primary, phone.given_at))


def usable_emails(person: Person) -> list[Email]:
    """Return a person's addresses that never bounced, primary first, then oldest first."""
    emails = [email for email in person.emails.all() if email.bounced_at is None]
    return sorted(emails, key=lambda email: (not email.is_primary, email.given_at))

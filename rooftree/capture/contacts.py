"""The numbers and addresses of a person: those an inquiry brings are added to those we know."""

from datetime import datetime

from rooftree.core.emails import comparison_key
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Email, Person, Phone


def remember(person: Person, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Add what is new to the person; what is known already, unlinked too, stays as it is."""
    Phone.objects.bulk_create(_new_phones(person, inquiry, at), ignore_conflicts=True)
    Email.objects.bulk_create(_new_emails(person, inquiry, at), ignore_conflicts=True)


def _new_phones(person: Person, inquiry: CanonicalLead, at: datetime) -> list[Phone]:
    held = list(person.phones.all())
    known = {one.e164 for one in held}
    has_primary = any(one.is_primary and one.unlinked_at is None for one in held)
    return [
        Phone(
            person=person,
            e164=one.e164,
            kind=one.type or "unknown",
            is_primary=one.is_primary and not has_primary,
            given_at=at,
        )
        for one in inquiry.phones
        if one.valid and one.e164 and one.e164 not in known
    ]


def _new_emails(person: Person, inquiry: CanonicalLead, at: datetime) -> list[Email]:
    held = list(person.emails.all())
    known = {one.key for one in held}
    has_primary = any(one.is_primary for one in held)
    return [
        Email(
            person=person,
            key=comparison_key(one.address),
            address=one.address,
            is_primary=one.is_primary and not has_primary,
            given_at=at,
        )
        for one in inquiry.emails
        if one.valid and one.address and comparison_key(one.address) not in known
    ]

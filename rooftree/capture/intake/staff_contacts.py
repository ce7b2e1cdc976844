"""Contact data and co-borrowers that staff learn from a borrower, stored like an inquiry's.

The same rules as for an inquiry apply: the newest number becomes the one in use, unless it was
revoked, and people who share a number are compared again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rooftree.capture.identity import person_matching
from rooftree.capture.intake import co_borrower, inquiry_rows
from rooftree.core import email_addresses, phone_numbers
from rooftree.core.masking import redact_numbers
from rooftree.core.user_errors import InvalidField, UserError
from rooftree.leads.canonical import CanonicalLead, CoBorrower, Email, Phone
from rooftree.leads.models import Lead, Person
from rooftree.leads.vocabulary import Channel, PhoneType, Source
from rooftree.ledger.write_events import write_event


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedContacts:
    """New contact data of the borrower, as typed; empty values change nothing."""

    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    phone_kind: str = "unknown"  # of leads.vocabulary.PhoneType
    email: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCoBorrower:
    """A co-borrower, as typed."""

    first_name: str
    last_name: str
    phone: str = ""
    email: str = ""


def store_contacts(lead: Lead, stated: StatedContacts, *, by: UUID, at: datetime) -> Person:
    """Store the borrower's new contact data and name. Raises `UserError`.

    Args:
        lead: locked, with its person.
    """
    person = lead.person
    inquiry = replace(
        _blank_inquiry(),
        phones=_read_phone(stated.phone, stated.phone_kind),
        emails=_read_email(stated.email),
    )
    changes = _changed_columns(person, stated)
    if not (inquiry.phones or inquiry.emails or changes):
        raise UserError("Nothing changed. Enter a new phone number, email or name.")
    inquiry_rows.store_contacts(person, inquiry, at=at)
    if changes:
        Person.objects.filter(pk=person.pk).update(**changes)
        person.refresh_from_db()
    parts = [*changes] + ["phone"] * bool(inquiry.phones) + ["email"] * bool(inquiry.emails)
    write_event(
        "capture.contact.stated",
        at=at,
        actor=f"user:{by}",
        lead_id=lead.pk,
        person_id=person.pk,
        what=sorted(part for part in parts if part not in ("name_key", "compared_at")),
    )
    return person


def store_co_borrower(lead: Lead, stated: StatedCoBorrower, *, by: UUID, at: datetime) -> Person:
    """Store the lead's co-borrower; the same person stated again is recognized.

    Raises `UserError`.
    """
    if not (stated.first_name or stated.last_name):
        raise InvalidField("first_name", "Enter the co-borrower’s name.")
    inquiry = replace(
        _blank_inquiry(),
        co_borrower=CoBorrower(
            first_name=redact_numbers(stated.first_name)[0] or None,
            last_name=redact_numbers(stated.last_name)[0] or None,
            phones=_read_phone(stated.phone, "unknown"),
            emails=_read_email(stated.email),
        ),
    )
    co_borrower.attach_co_borrower(lead, inquiry, at=at)
    assert lead.co_borrower is not None
    details = {**lead.details, "co_borrower": inquiry.to_json()["co_borrower"]}
    Lead.objects.filter(pk=lead.pk).update(details=details)
    write_event(
        "capture.contact.stated",
        at=at,
        actor=f"user:{by}",
        lead_id=lead.pk,
        person_id=lead.co_borrower.pk,
        what=["co_borrower"],
    )
    return lead.co_borrower


def _changed_columns(person: Person, stated: StatedContacts) -> dict[str, object]:
    typed = {
        "first_name": redact_numbers(stated.first_name)[0],
        "last_name": redact_numbers(stated.last_name)[0],
        "language": stated.language,
    }
    changes: dict[str, object] = {
        column: value
        for column, value in typed.items()
        if value and value != getattr(person, column)
    }
    if {"first_name", "last_name"} & changes.keys():
        first = typed["first_name"] or person.first_name
        last = typed["last_name"] or person.last_name
        changes |= {"name_key": person_matching.name_key(first, last), "compared_at": None}
    return changes


def _blank_inquiry() -> CanonicalLead:
    return CanonicalLead(source=Source.GENERIC, channel=Channel.REFERRAL)


def _read_phone(typed: str, kind: str) -> tuple[Phone, ...]:
    if not typed.strip():
        return ()
    number = phone_numbers.parse_phone_number(typed)
    if number.e164 is None or number.is_foreign:
        raise InvalidField("phone", "Enter a US phone number, for example (512) 555-0142.")
    return (Phone(e164=number.e164, type=PhoneType(kind), is_primary=True, valid=True),)


def _read_email(typed: str) -> tuple[Email, ...]:
    if not typed.strip():
        return ()
    address = email_addresses.parse_email_address(typed)
    if address is None:
        raise InvalidField("email", "Enter an email address, for example maria@example.com.")
    return (Email(address=address, is_primary=True, valid=True),)

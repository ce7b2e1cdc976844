"""The rows an inquiry becomes: the person with phones and emails, and the lead's columns.

New rows are built and inserted by the caller. A person and a lead on file are updated: the newest
values win, and new phone numbers and email addresses are added.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rooftree.capture.identity import person_matching
from rooftree.compliance.models import Revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads import scenario_fields
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Email, Lead, Person, Phone
from rooftree.ledger.write_events import write_event

NESTED_PARTS = frozenset({"borrower", "property", "loan", "credit", "income"})
# While one of these revocations is in force, its phone number or email is not made primary.
DISQUALIFYING_REVOCATIONS = ("stop", "unsubscribe", "do_not_contact", "wrong_person", "vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedContact:
    """One phone number or email address as stated in an inquiry."""

    key: str  # E.164, or the email address normalized for comparison
    address: str
    kind: str = ""  # of a phone number
    is_primary: bool


def build_person(inquiry: CanonicalLead, at: datetime) -> Person:
    """Build the row of a new person without saving it."""
    borrower, home = inquiry.borrower, inquiry.mailing_address
    return Person(
        id=uuid7_at(at),
        first_name=(borrower and borrower.first_name) or "",
        middle_name=(borrower and borrower.middle_name) or "",
        last_name=(borrower and borrower.last_name) or "",
        suffix=(borrower and borrower.suffix) or "",
        name_key=person_matching.name_key(
            (borrower and borrower.first_name) or "", (borrower and borrower.last_name) or ""
        ),
        language=(inquiry.preferred_language or "")[:5],
        street=((home and home.line1) or "")[:200],
        city=((home and home.city) or "")[:120],
        state=(home and home.state) or "",
        zip=(home and home.zip) or "",
        home_key=person_matching.address_key(
            (home and home.line1) or "", (home and home.zip) or ""
        ),
        created_at=at,
    )


def new_contact_rows(
    new_people: Sequence[tuple[Person, CanonicalLead, datetime]],
) -> tuple[list[Phone], list[Email]]:
    """Build the phone and email rows of new people, to be inserted by the caller.

    Args:
        new_people: each with the inquiry and the time it was stated.
    """
    phones = [
        row
        for person, inquiry, at in new_people
        for row in _new_numbers(person, (), _stated_numbers(inquiry), at)
    ]
    emails = [
        row
        for person, inquiry, at in new_people
        for row in _new_addresses(person, (), _stated_addresses(inquiry), at)
    ]
    return phones, emails


def loan_columns(inquiry: CanonicalLead) -> dict[str, object]:
    """Return the inquiry's values by the lead's column names, without empty ones."""
    loan, home, credit = inquiry.loan, inquiry.property, inquiry.credit
    columns: dict[str, object | None] = {
        "timeline": inquiry.timeline,
        "borrower_message": inquiry.message,
    }
    if loan:
        columns |= {
            "purpose": loan.purpose,
            "loan_type": loan.type,
            "amount_cents": loan.amount_cents,
            "down_payment_cents": loan.down_payment_cents,
            "cash_out_cents": loan.cash_out_cents,
            "current_rate_pct": loan.current_rate_pct,
        }
    if home:
        columns |= {
            "value_cents": home.purchase_price_cents or home.estimated_value_cents,
            "property_street": home.line1 and home.line1[:200],
            "property_city": home.city and home.city[:120],
            "property_state": home.state,
            "property_zip": home.zip,
            "property_key": person_matching.address_key(home.line1 or "", home.zip or ""),
            "property_type": home.type,
            "property_use": home.use,
        }
    if credit:
        columns["credit_band"] = credit.band
    return {key: value for key, value in columns.items() if value is not None and value != ""}


def update_repeat_lead(lead: Lead, inquiry: CanonicalLead, at: datetime) -> None:
    """Update a lead from a repeated inquiry: newest values win, and a snoozed lead returns.

    What staff edited stays; the inquiry's own value is kept with its touch.
    """
    stated = loan_columns(inquiry)
    for field in (scenario_fields.FIELDS[key] for key in lead.edited_fields):
        stated.pop(field.column, None)
    changes = stated | {
        "details": merge_details(lead, inquiry.to_json()),
        "last_inquiry_at": max(at, lead.last_inquiry_at),
        "snoozed_until": None,
    }
    if "property_street" in changes or "property_zip" in changes:
        street, zip_code = changes.get("property_street"), changes.get("property_zip")
        changes["property_key"] = person_matching.address_key(
            str(street or lead.property_street), str(zip_code or lead.property_zip)
        )
    if lead.state == "nurture":
        changes["state"] = "working"
    Lead.objects.filter(pk=lead.pk).update(**changes)
    lead.refresh_from_db()  # a trigger can end the ownership when the property's state changes


def store_contacts(person: Person, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Add an inquiry's new phones and emails, and make the latest stated ones primary.

    Known ones stay on file, unlinked ones too. A phone number that proved to be somebody
    else's, an email address that bounced, and a contact with a revocation (STOP, unsubscribe)
    do not replace a usable primary. A person's first contact is primary in any case.

    Args:
        at: when they stated it; an inquiry that arrives late does not undo a newer one.
    """
    phones, emails = list(person.phones.all()), list(person.emails.all())
    numbers = _stated_numbers(inquiry)
    added = [*insert_new_rows(_new_numbers(person, phones, numbers, at))]
    _choose_primary(person, Phone, "e164", phones, numbers, at)
    addresses = _stated_addresses(inquiry)
    added += insert_new_rows(_new_addresses(person, emails, addresses, at))
    _choose_primary(person, Email, "key", emails, addresses, at)
    if added:  # search for duplicates again: another person can have the same contact
        Person.objects.filter(pk=person.pk).exclude(compared_at=None).update(compared_at=None)


def merge_details(lead: Lead, changes: dict[str, Any]) -> dict[str, Any]:
    """Merge new details into a lead's; values not stated again and edited ones are kept."""
    details = lead.details
    merged_parts = {
        name: {**details.get(name, {}), **part}
        for name, part in changes.items()
        if name in NESTED_PARTS and isinstance(part, dict)
    }
    merged = {**details, **changes, **merged_parts}
    return scenario_fields.keep_edited_values(
        lead.edited_fields, details, merged, purpose=lead.purpose
    )


def _stated_numbers(inquiry: CanonicalLead) -> list[StatedContact]:
    return _dedupe_stated(
        StatedContact(
            key=phone.e164,
            address=phone.e164,
            kind=phone.type or "unknown",
            is_primary=bool(phone.is_primary),
        )
        for phone in inquiry.phones
        if phone.valid and phone.e164
    )


def _stated_addresses(inquiry: CanonicalLead) -> list[StatedContact]:
    return _dedupe_stated(
        StatedContact(
            key=comparison_key(email.address),
            address=email.address,
            is_primary=bool(email.is_primary),
        )
        for email in inquiry.emails
        if email.valid and email.address
    )


def _dedupe_stated(stated: Iterable[StatedContact]) -> list[StatedContact]:
    """Return each key once, the contacts stated as primary first."""
    contacts: dict[str, StatedContact] = {}
    for contact in stated:
        contacts.setdefault(contact.key, contact)
    return sorted(contacts.values(), key=lambda contact: not contact.is_primary)


def _new_numbers(
    person: Person, on_file: Sequence[Phone], stated: Sequence[StatedContact], at: datetime
) -> list[Phone]:
    known = {phone.e164 for phone in on_file}
    return [
        Phone(
            person=person,
            e164=contact.key,
            kind=contact.kind,
            is_primary=not on_file and index == 0 and contact.is_primary,
            given_at=at,
        )
        for index, contact in enumerate(stated)
        if contact.key not in known
    ]


def _new_addresses(
    person: Person, on_file: Sequence[Email], stated: Sequence[StatedContact], at: datetime
) -> list[Email]:
    known = {email.key for email in on_file}
    return [
        Email(
            person=person,
            key=contact.key,
            address=contact.address,
            is_primary=not on_file and index == 0 and contact.is_primary,
            given_at=at,
        )
        for index, contact in enumerate(stated)
        if contact.key not in known
    ]


def _choose_primary(
    person: Person,
    table: type[Phone] | type[Email],
    column: str,
    on_file: Sequence[Phone | Email],
    stated: Sequence[StatedContact],
    at: datetime,
) -> None:
    """Make the latest stated contact primary; `on_file` holds the rows from before the inquiry."""
    if not on_file or not stated:
        return
    rows = table.objects.filter(person=person)
    keys = [contact.key for contact in stated]
    known = {getattr(contact, column): contact for contact in on_file}
    repeated = [known[key].pk for key in keys if key in known]
    rows.filter(pk__in=repeated, given_at__lt=at).exclude(stated_at__gte=at).update(stated_at=at)
    primary = next(
        (contact for contact in on_file if contact.is_primary and _is_working(contact)), None
    )
    if primary and getattr(primary, column) == keys[0]:
        return
    if primary and (primary.stated_at or primary.given_at) > at:
        return
    usable = _usable_keys(keys, known)
    new_key = next((key for key in keys if key in usable), None)
    if new_key is None or (primary and new_key == getattr(primary, column)):
        return
    rows.filter(is_primary=True).update(is_primary=False)
    rows.filter(**{column: new_key}).update(is_primary=True)
    write_event("capture.contact.preferred", at=at, person_id=person.pk, what=table._meta.db_table)


def _usable_keys(keys: Sequence[str], known: dict[str, Phone | Email]) -> set[str]:
    """Return the keys that work and are not revoked."""
    working = {key for key in keys if key not in known or _is_working(known[key])}
    revoked = Revocation.objects.filter(
        address__in=working, kind__in=DISQUALIFYING_REVOCATIONS, ended_at=None
    ).values_list("address", flat=True)
    return working - set(revoked)


def _is_working(contact: Phone | Email) -> bool:
    return (contact.unlinked_at if isinstance(contact, Phone) else contact.bounced_at) is None

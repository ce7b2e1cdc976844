"""The co-borrower of an inquiry: a separate person, with their own consents.

The borrower's consent does not cover the co-borrower, so no message is sent to the co-borrower
automatically.
"""

from dataclasses import replace
from datetime import datetime

from rooftree.capture.identity import person_lookup, person_matching
from rooftree.capture.intake import inquiry_rows
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead, CoBorrower
from rooftree.leads.models import Lead, Person
from rooftree.ledger.write_events import write_event


def co_borrower_identity(inquiry: CanonicalLead) -> person_matching.Identity:
    """Return the identity of an inquiry's co-borrower, for matching."""
    stated = inquiry.co_borrower
    assert stated is not None
    return person_matching.inquiry_identity(
        replace(inquiry, borrower=stated, phones=stated.phones, emails=stated.emails)
    )


def co_borrower_match_keys(inquiry: CanonicalLead) -> list[str]:
    """Return the co-borrower's match keys, as `person_lookup` writes them."""
    return person_lookup.contact_match_keys(co_borrower_identity(inquiry))


def attach_co_borrower(lead: Lead, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Store the inquiry's co-borrower on the lead.

    A co-borrower stated again is recognized; a different co-borrower replaces the earlier one.

    Args:
        at: when the co-borrower was stated.
    """
    stated, identity = inquiry.co_borrower, co_borrower_identity(inquiry)
    assert stated is not None
    person = lead.co_borrower
    if person is None or not any(
        person_matching.could_be_same_name(candidate.identity, identity)
        for candidate in person_lookup.person_candidates(person)
    ):
        person = _find_on_file(lead, identity) or _create_person(stated, at)
        Lead.objects.filter(pk=lead.pk).update(co_borrower=person)
        lead.co_borrower = person
        write_event("capture.co_borrower.stated", at=at, lead_id=lead.pk, person_id=person.pk)
    co_borrower_contacts = replace(inquiry, phones=stated.phones, emails=stated.emails)
    inquiry_rows.store_contacts(person, co_borrower_contacts, at=at)


def _find_on_file(lead: Lead, identity: person_matching.Identity) -> Person | None:
    """Return the matching person who shares a phone or email; never the borrower."""
    ids = person_lookup.ids_sharing_contact(identity) - {lead.person_id}
    people = person_lookup.load_candidates(ids, is_test=lead.is_test)
    match = person_matching.best_match(
        identity, [candidate for candidates in people.values() for candidate in candidates]
    )
    return Person.objects.get(pk=match.person_id) if match else None


def _create_person(stated: CoBorrower, at: datetime) -> Person:
    first, last = stated.first_name or "", stated.last_name or ""
    return Person.objects.create(
        id=uuid7_at(at),
        first_name=first,
        middle_name=stated.middle_name or "",
        last_name=last,
        suffix=stated.suffix or "",
        name_key=person_matching.name_key(first, last),
        created_at=at,
    )

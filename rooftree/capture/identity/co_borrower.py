"""The second applicant of an inquiry: a person of their own, with permissions of their own.

What the borrower agreed to says nothing of them, so nothing goes to them by itself.
"""

from dataclasses import replace
from datetime import datetime

from rooftree.capture.identity import contact_details, person_lookup, person_matching
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead, CoBorrower
from rooftree.leads.models import Lead, Person
from rooftree.ledger.write_events import write_event


def co_borrower_identity(inquiry: CanonicalLead) -> person_matching.Identity | None:
    """It is what the second applicant is told from others by; None when there is none."""
    told = inquiry.co_borrower
    if told is None:
        return None
    return person_matching.inquiry_identity(
        replace(inquiry, borrower=told, phones=told.phones, emails=told.emails)
    )


def co_borrower_match_keys(inquiry: CanonicalLead) -> list[str]:
    """What the second applicant could have in common with somebody, as `on_file` holds it."""
    identity = co_borrower_identity(inquiry)
    return person_lookup.contact_match_keys(identity) if identity else []


def attach_co_borrower(lead: Lead, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Keep the second applicant on the lead; told again they are the same, another one follows.

    Args:
        at: when they were stated.
    """
    told, identity = inquiry.co_borrower, co_borrower_identity(inquiry)
    if told is None or identity is None:
        return
    theirs = replace(inquiry, phones=told.phones, emails=told.emails)
    known = lead.co_borrower
    if known is None or not _is_same_person(known, identity):
        known = _find_on_file(lead, identity) or _create_person(told, at)
        Lead.objects.filter(pk=lead.pk).update(co_borrower=known)
        lead.co_borrower = known
        write_event("capture.co_borrower.stated", at=at, lead_id=lead.pk, person_id=known.pk)
    contact_details.store_contacts(known, theirs, at=at)


def _is_same_person(known: Person, identity: person_matching.Identity) -> bool:
    return any(
        person_matching.could_be_same_name(person_candidate.identity, identity)
        for person_candidate in person_lookup.person_candidates(known)
    )


def _find_on_file(lead: Lead, identity: person_matching.Identity) -> Person | None:
    """Somebody known under a number or address of theirs; never the borrower."""
    others = person_lookup.ids_sharing_contact(identity) - {lead.person_id}
    found = person_lookup.load_candidates(others, is_test=lead.is_test)
    best = person_matching.best_match(
        identity, [name for names in found.values() for name in names]
    )
    return Person.objects.get(pk=best.person_id) if best else None


def _create_person(told: CoBorrower, at: datetime) -> Person:
    first, last = told.first_name or "", told.last_name or ""
    return Person.objects.create(
        id=uuid7_at(at),
        first_name=first,
        middle_name=told.middle_name or "",
        last_name=last,
        suffix=told.suffix or "",
        name_key=person_matching.name_key(first, last),
        created_at=at,
    )

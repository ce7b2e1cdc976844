"""The second applicant of an inquiry: a person of their own, with permissions of their own.

What the borrower agreed to says nothing of them, so nothing goes to them by itself.
"""

from dataclasses import replace
from datetime import datetime

from rooftree.capture import contacts, match, on_file
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead, CoBorrower
from rooftree.leads.models import Lead, Person
from rooftree.ledger.write import write


def identity_of(inquiry: CanonicalLead) -> match.Identity | None:
    """It is what the second applicant is told from others by; None when there is none."""
    told = inquiry.co_borrower
    if told is None:
        return None
    return match.identity_of(
        replace(inquiry, borrower=told, phones=told.phones, emails=told.emails)
    )


def names_of(inquiry: CanonicalLead) -> list[str]:
    """What the second applicant could have in common with somebody, as `on_file` holds it."""
    identity = identity_of(inquiry)
    return on_file.names_of(identity) if identity else []


def remember(lead: Lead, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Keep the second applicant on the lead; told again they are the same, another one follows.

    Args:
        at: when they were stated.
    """
    told, identity = inquiry.co_borrower, identity_of(inquiry)
    if told is None or identity is None:
        return
    theirs = replace(inquiry, phones=told.phones, emails=told.emails)
    known = lead.co_borrower
    if known is None or not _is(known, identity):
        known = _on_file(lead, identity) or _new(told, at)
        Lead.objects.filter(pk=lead.pk).update(co_borrower=known)
        lead.co_borrower = known
        write("capture.co_borrower.stated", at=at, lead_id=lead.pk, person_id=known.pk)
    contacts.remember(known, theirs, at=at)


def _is(known: Person, identity: match.Identity) -> bool:
    return any(match.near_names(one.identity, identity) for one in on_file.known_as(known))


def _on_file(lead: Lead, identity: match.Identity) -> Person | None:
    """Somebody known under a number or address of theirs; never the borrower."""
    others = on_file.sharing(identity) - {lead.person_id}
    found = on_file.candidates(others, is_test=lead.is_test)
    best = match.best_match(identity, [one for names in found.values() for one in names])
    return Person.objects.get(pk=best.person_id) if best else None


def _new(told: CoBorrower, at: datetime) -> Person:
    first, last = told.first_name or "", told.last_name or ""
    return Person.objects.create(
        id=uuid7_at(at),
        first_name=first,
        middle_name=told.middle_name or "",
        last_name=last,
        suffix=told.suffix or "",
        name_key=match.name_key(first, last),
        created_at=at,
    )

"""The numbers and addresses of a person: what an inquiry brings is added, the newest is used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance.models import Revocation
from rooftree.core.email_addresses import comparison_key
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Email, Person, Phone
from rooftree.ledger.write_events import write_event

# Live, they say that this number or address is not the one to choose.
DISQUALIFYING_REVOCATIONS = ("stop", "unsubscribe", "do_not_contact", "wrong_person", "vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedContact:
    """One number or address as an inquiry states it."""

    key: str  # E.164, or the address's normal form
    address: str
    kind: str = ""  # of a number
    is_primary: bool


def store_contacts(person: Person, inquiry: CanonicalLead, *, at: datetime) -> None:
    """Add what is new, and write to and call from now on what they stated last.

    What is known already, unlinked too, stays on file. A number that proved to be somebody
    else's, an address that came back, and what somebody took back (STOP, unsubscribe) are not
    chosen over one that is free of that; the first of a person is theirs whatever it is.

    Args:
        at: when they stated it; an inquiry that comes late does not undo a newer one.
    """
    phones, emails = list(person.phones.all()), list(person.emails.all())
    numbers = _stated_numbers(inquiry)
    fresh = [*insert_new_rows(_new_numbers(person, phones, numbers, at))]
    _choose_primary(person, Phone, "e164", phones, numbers, at)
    addresses = _stated_addresses(inquiry)
    fresh += insert_new_rows(_new_addresses(person, emails, addresses, at))
    _choose_primary(person, Email, "key", emails, addresses, at)
    if fresh:  # they may have it in common with somebody
        Person.objects.filter(pk=person.pk).exclude(compared_at=None).update(compared_at=None)


def new_contact_rows(
    met: Sequence[tuple[Person, CanonicalLead, datetime]],
) -> tuple[list[Phone], list[Email]]:
    """What `remember` would add of people who were nobody to us until now, to be written.

    Args:
        met: each with when they stated it.
    """
    phones = [
        row for who, said, at in met for row in _new_numbers(who, (), _stated_numbers(said), at)
    ]
    emails = [
        row for who, said, at in met for row in _new_addresses(who, (), _stated_addresses(said), at)
    ]
    return phones, emails


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
    """Each key once, the one they call their main one first."""
    found: dict[str, StatedContact] = {}
    for stated_contact in stated:
        found.setdefault(stated_contact.key, stated_contact)
    return sorted(found.values(), key=lambda one: not one.is_primary)


def _new_numbers(
    person: Person, held: Sequence[Phone], stated: Sequence[StatedContact], at: datetime
) -> list[Phone]:
    known = {phone.e164 for phone in held}
    return [
        Phone(
            person=person,
            e164=one.key,
            kind=one.kind,
            is_primary=not held and place == 0 and one.is_primary,
            given_at=at,
        )
        for place, one in enumerate(stated)
        if one.key not in known
    ]


def _new_addresses(
    person: Person, held: Sequence[Email], stated: Sequence[StatedContact], at: datetime
) -> list[Email]:
    known = {email.key for email in held}
    return [
        Email(
            person=person,
            key=one.key,
            address=one.address,
            is_primary=not held and place == 0 and one.is_primary,
            given_at=at,
        )
        for place, one in enumerate(stated)
        if one.key not in known
    ]


def _choose_primary(
    person: Person,
    table: type[Phone] | type[Email],
    column: str,
    held: Sequence[Phone | Email],
    stated: Sequence[StatedContact],
    at: datetime,
) -> None:
    """Let the one stated last be the one in use; `held` is what was on file before."""
    if not held or not stated:
        return
    rows = table.objects.filter(person=person)
    keys = [stated_contact.key for stated_contact in stated]
    known = {getattr(one, column): one for one in held}
    again = [known[key].pk for key in keys if key in known]
    rows.filter(pk__in=again, given_at__lt=at).exclude(stated_at__gte=at).update(stated_at=at)
    now = next((one for one in held if one.is_primary and _is_working(one)), None)
    if now and getattr(now, column) == keys[0]:
        return
    if now and _last_stated_at(now) > at:
        return
    free = _usable_keys(keys, known)
    wanted = next((key for key in keys if key in free), None)
    if wanted is None or (now and wanted == getattr(now, column)):
        return
    rows.filter(is_primary=True).update(is_primary=False)
    rows.filter(**{column: wanted}).update(is_primary=True)
    write_event("capture.contact.preferred", at=at, person_id=person.pk, what=table._meta.db_table)


def _usable_keys(keys: Sequence[str], known: dict[str, Phone | Email]) -> set[str]:
    """Those of `keys` that nothing speaks against."""
    theirs = {key for key in keys if key not in known or _is_working(known[key])}
    taken_back = Revocation.objects.filter(
        address__in=theirs, kind__in=DISQUALIFYING_REVOCATIONS, ended_at=None
    ).values_list("address", flat=True)
    return theirs - set(taken_back)


def _is_working(one: Phone | Email) -> bool:
    return (one.unlinked_at if isinstance(one, Phone) else one.bounced_at) is None


def _last_stated_at(one: Phone | Email) -> datetime:
    return one.stated_at or one.given_at

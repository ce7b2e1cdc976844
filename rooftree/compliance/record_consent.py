"""Writing down what one arrival of a lead proves about permission, and what it takes back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rooftree.compliance import call_records, consent_record, revoke
from rooftree.compliance.consent_record import Certificate, Proofs, Terms
from rooftree.compliance.models import Consent, SourceTerms
from rooftree.compliance.verdict import Decision
from rooftree.core.emails import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Person, Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write import event, write_all
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert_each, insert_once
from rooftree.org.models import Company
from rooftree.org.the_company import the_company

REVIEWED = Reads(
    lambda source: SourceTerms.objects.filter(source_id=source, reviewed_at__isnull=False).order_by(
        "-from_date"
    ),
    source=UUID,
)
LONGEST_CAUSE = 200
PHONE_CHANNELS = frozenset({"call", "autodial_call", "prerecorded", "text"})
OWN_FORMS = frozenset({"website_form"})
SUPPRESSED = {
    "do_not_call": ["call", "voicemail", "text"],  # a text is a call: 47 CFR 64.1200, house reading
    "do_not_text": ["text"],
    "do_not_email": ["email"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One arrival of a lead: what it said, and the touch it became."""

    inquiry: CanonicalLead
    touch: Touch


def of_touches(arrived: Sequence[Arrived], *, at: datetime) -> None:
    """Keep the consent, or its absence, for each number and address of each touch.

    Append-only and once per touch and address: the touches must have been
    written in this same transaction.
    """
    company, sources = the_company(), {one.touch.source_id for one in arrived}
    terms = {one: terms_in_force(one, at.date()) for one in sources}
    rows = [
        (row, one.touch)
        for one in arrived
        for row in _of_touch(one, company, terms[one.touch.source_id], at)
    ]
    insert_each([row for row, _ in rows], [_told(row, touch, at) for row, touch in rows])
    for one in arrived:
        suppress(one.inquiry, person=one.touch.person, touch=one.touch, at=at)


def _of_touch(
    one: Arrived, company: Company, terms: SourceTerms | None, at: datetime
) -> list[Consent]:
    names = (company.legal_name, company.brand, *company.registered_dbas)
    carried, rows = one.touch.inquiry.get("consent", {}), []
    for address in _addresses(one.inquiry):
        proofs = Proofs(
            consent=carried,
            phone=None if "@" in address else address,
            received_on=at.date(),
            terms=_terms(terms),
            is_own_form=_has_form_record(one.inquiry, one.touch),
        )
        record = consent_record.build(proofs, names)
        rows.append(_row(carried, record, address, one.touch, terms, at))
    return rows


def of_certificate(*, touch: Touch, address: str, certificate: Certificate, at: datetime) -> bool:
    """Keep what a claimed certificate adds to the consent of a touch; once per touch and address.

    The consent as it came stands beside it: rows are only added.
    """
    carried, company = touch.inquiry.get("consent", {}), the_company()
    day = touch.at.date()
    terms_row = terms_in_force(touch.source_id, day)
    proofs = Proofs(
        consent=carried,
        phone=address,
        received_on=day,
        certificate=certificate,
        terms=_terms(terms_row),
    )
    names = (company.legal_name, company.brand, *company.registered_dbas)
    record = consent_record.build(proofs, names)
    row = _row(carried, record, address, touch, terms_row, at)
    row.cause = _cause("touch", touch, f"{address}:certificate")
    if not insert_once(row):
        return False
    write_all([_told(row, touch, at)])
    return True


def held(row: Consent) -> frozenset[str]:
    """Of what the telemarketing rule wants on record of a consent, what is there (TSR-01)."""
    found = {
        "name": row.person.first_name or row.person.last_name,
        "phone": "@" not in row.address,
        "request_copy": row.wording,
        "consent_copy": row.delivery_id,  # what they sent, as it came
        "date": row.captured_at,
    }
    return frozenset(name for name, value in found.items() if value)


def terms_in_force(source_id: UUID, day: date) -> SourceTerms | None:
    """The reviewed terms of a source on a day; None when none were reviewed, or they ended."""
    begun = (one for one in REVIEWED.all(source=source_id) if one.from_date <= day)
    return next((one for one in begun if one.until_date is None or one.until_date > day), None)


def _addresses(inquiry: CanonicalLead) -> list[str]:
    numbers = [one.e164 for one in inquiry.phones if one.valid and one.e164]
    mails = [comparison_key(one.address) for one in inquiry.emails if one.address]
    return list(dict.fromkeys([*numbers, *mails]))


def _terms(row: SourceTerms | None) -> Terms | None:
    if row is None:
        return None
    return Terms(
        from_date=row.from_date,
        until_date=row.until_date,
        is_reviewed=row.reviewed_at is not None,
        wording=row.wording,
        signature=row.signature,
        channels=tuple(row.channels),
        seller_list=row.seller_snapshot,
    )


def _has_form_record(inquiry: CanonicalLead, touch: Touch) -> bool:
    """Our own form says which wording it showed, and that the box was empty; both are kept."""
    shown = inquiry.extras
    is_ours = touch.source.adapter in OWN_FORMS and bool(shown.get("consent.version"))
    return is_ours and shown.get("consent.prechecked", "").lower() == "false"


def _row(
    carried: dict[str, Any],
    record: dict[str, Any],
    address: str,
    touch: Touch,
    terms: SourceTerms | None,
    at: datetime,
) -> Consent:
    is_mail = "@" in address
    channels = [one for one in record.get("channels", []) if (one == "email") == is_mail]
    status = str(carried.get("status", "not_provided"))
    if status == "not_provided" and terms and terms.channels and record.get("type") == "written":
        status = "granted"  # the reviewed terms prove what the payload leaves out
    wording = str(carried.get("text") or (terms.wording if terms else ""))
    return Consent(
        id=uuid7_at(at),
        cause=_cause("touch", touch, address),
        person=touch.person,
        address=address,
        delivery_id=touch.delivery_id,
        terms=terms,
        status=status,
        channels=channels,
        record=record | {"channels": channels},
        wording=wording,
        wording_sha256=hashlib.sha256(wording.encode()).hexdigest() if wording else "",
        captured_at=_moment(carried.get("timestamp")),
        recorded_at=at,
    )


def _told(row: Consent, touch: Touch, at: datetime) -> Event:
    return event(
        "compliance.consent.recorded",
        at=at,
        lead_id=touch.lead_id,
        person_id=row.person_id,
        consent=row.pk,
        status=row.status,
        channels=row.channels,
        wording=row.wording_sha256 or None,
        is_complete=_is_complete(row),
    )


def _is_complete(row: Consent) -> bool | None:
    """Whether a permission for a number is on record as it must be; None of anything else."""
    if row.status != "granted" or "@" in row.address:
        return None
    return call_records.complete("consent", held(row)).decision is Decision.ALLOW


def _cause(what: str, touch: Touch, address: str) -> str:
    """Once per touch and address, however long the address is."""
    named = f"{what}:{touch.pk}:{address}"
    if len(named) <= LONGEST_CAUSE:
        return named
    return f"{what}:{touch.pk}:sha256:{hashlib.sha256(address.encode()).hexdigest()}"


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def suppress(inquiry: CanonicalLead, *, person: Person, touch: Touch, at: datetime) -> None:
    """A vendor's do-not-call counts as one of ours, and a later lead does not undo it."""
    told = inquiry.suppression
    if told is None:
        return
    media = [one for name, names in SUPPRESSED.items() if getattr(told, name) for one in names]
    if not media:
        return
    for address in _addresses(inquiry):
        mine = [one for one in media if (one == "email") == ("@" in address)]
        if mine:
            revoke.record(
                person_id=person.pk,
                address=address,
                kind="vendor",
                media=mine,
                words=(told.reason or "")[:500],
                origin=f"delivery:{touch.delivery_id}",
                cause=_cause("vendor", touch, address),
                at=at,
            )

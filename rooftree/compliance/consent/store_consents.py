"""Storage of the consents and the vendor suppressions that arrive with a lead."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rooftree.compliance.consent import (
    build_consent_record,
    stops_in_inquiries,
    store_revocation,
)
from rooftree.compliance.consent.build_consent_record import (
    ConsentProofs,
    ReviewedTerms,
    SessionCertificate,
)
from rooftree.compliance.consent.reply_classifier import ReplyMeaning
from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.gate.verdict import Decision
from rooftree.compliance.models import Consent, SourceTerms
from rooftree.core.email_addresses import comparison_key
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_into_tables, insert_row_if_new
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.models import Person, Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event, write_events
from rooftree.org.current_company import current_company
from rooftree.org.models import Company

REVIEWED_TERMS = PreparedQuery(
    lambda source: SourceTerms.objects.filter(source_id=source, reviewed_at__isnull=False).order_by(
        "-from_date"
    ),
    source=UUID,
)
MAX_KEY_LENGTH = 200
PHONE_CHANNELS = frozenset({"call", "autodial_call", "prerecorded", "text"})
PHONE_MEDIA = ["call", "text", "voicemail"]
OWN_FORMS = frozenset({"website_form"})
UNPROVEN_CLAIMS = frozenset({"method", "leadid_token", "seller_named"})
MEDIA_BY_SUPPRESSION = {
    "do_not_call": [
        "call",
        "voicemail",
        "text",
    ],  # house reading of 47 CFR 64.1200: texts are calls
    "do_not_text": ["text"],
    "do_not_email": ["email"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedTouch:
    """One arrival of a lead: the inquiry and the touch created from it."""

    inquiry: CanonicalLead
    touch: Touch
    is_proven: bool = False  # of a website form: signed by its server, or sealed by us


def store_touch_consents(arrived: Sequence[ArrivedTouch], *, at: datetime) -> None:
    """Store the consent, or its absence, for each number and email address of each touch.

    Append-only, once per touch and address. The touches must have been written in this same
    transaction.
    """
    company = current_company()
    sources = {arrived_touch.touch.source_id for arrived_touch in arrived}
    terms = {source: terms_in_force(source, at.date()) for source in sources}
    rows = [
        (row, arrived_touch.touch)
        for arrived_touch in arrived
        for row in _touch_consent_rows(
            arrived_touch, company, terms[arrived_touch.touch.source_id], at
        )
    ]
    insert_into_tables(
        [row for row, _ in rows], [_recorded_event(row, touch, at) for row, touch in rows]
    )
    for arrived_touch in arrived:
        store_inquiry_stops(arrived_touch.inquiry, touch=arrived_touch.touch, at=at)


def _touch_consent_rows(
    arrived_touch: ArrivedTouch, company: Company, terms: SourceTerms | None, at: datetime
) -> list[Consent]:
    names = (company.legal_name, company.brand, *company.registered_dbas)
    inquiry, touch = arrived_touch.inquiry, arrived_touch.touch
    claimed, rows = _believable_claims(touch, is_proven=arrived_touch.is_proven), []
    # Our own form records which wording it showed and that the box was not prechecked.
    has_form_record = (
        touch.source.adapter in OWN_FORMS
        and arrived_touch.is_proven
        and bool(inquiry.extras.get("consent.version"))
        and inquiry.extras.get("consent.prechecked", "").lower() == "false"
    )
    for address in _inquiry_addresses(inquiry):
        proofs = ConsentProofs(
            consent=claimed,
            phone=None if "@" in address else address,
            received_on=at.date(),
            terms=_reviewed_terms(terms),
            is_own_form=has_form_record,
        )
        record = build_consent_record.build_consent_record(proofs, names)
        rows.append(_consent_row(claimed, record, address, touch, terms, at))
    return rows


def _believable_claims(touch: Touch, *, is_proven: bool) -> dict[str, Any]:
    """Return the consent a touch claims, without what an unknown sender could have made up.

    Anybody can post to a form's public address, so a post that nothing proves says only which
    number was given: its act, LeadiD token and seller are left out.
    """
    claimed: dict[str, Any] = touch.inquiry.get("consent", {})
    if is_proven or touch.source.adapter not in OWN_FORMS:
        return claimed
    return {key: value for key, value in claimed.items() if key not in UNPROVEN_CLAIMS}


def store_certificate_consent(
    *, touch: Touch, address: str, certificate: SessionCertificate, at: datetime
) -> bool:
    """Store the consent a claimed certificate proves; return False if it was stored before.

    Once per touch and address. The consent that arrived with the touch stays; rows are only added.
    """
    claimed, company = _believable_claims(touch, is_proven=False), current_company()
    day = touch.at.date()
    terms_row = terms_in_force(touch.source_id, day)
    proofs = ConsentProofs(
        consent=claimed,
        phone=address,
        received_on=day,
        certificate=certificate,
        terms=_reviewed_terms(terms_row),
    )
    names = (company.legal_name, company.brand, *company.registered_dbas)
    record = build_consent_record.build_consent_record(proofs, names)
    row = _consent_row(claimed, record, address, touch, terms_row, at)
    row.idempotency_key = _consent_key("touch", touch, f"{address}:certificate")
    if not insert_row_if_new(row):
        return False
    write_events([_recorded_event(row, touch, at)])
    return True


def recorded_fields(row: Consent) -> frozenset[str]:
    """Return which fields that the telemarketing rule requires are on record (TSR-01)."""
    fields = {
        "name": row.person.first_name or row.person.last_name,
        "phone": "@" not in row.address,
        "request_copy": row.wording,
        "consent_copy": row.delivery_id,  # the delivery as received
        "date": row.captured_at,
    }
    return frozenset(name for name, value in fields.items() if value)


def terms_in_force(source_id: UUID, day: date) -> SourceTerms | None:
    """Return a source's reviewed terms on a day, or None if none were reviewed or they ended."""
    in_force = (
        terms
        for terms in REVIEWED_TERMS.all(source=source_id)
        if terms.from_date <= day and (terms.until_date is None or terms.until_date > day)
    )
    return next(in_force, None)


def _inquiry_addresses(inquiry: CanonicalLead) -> list[str]:
    numbers = [phone.e164 for phone in inquiry.phones if phone.valid and phone.e164]
    emails = [comparison_key(email.address) for email in inquiry.emails if email.address]
    return list(dict.fromkeys([*numbers, *emails]))


def _reviewed_terms(row: SourceTerms | None) -> ReviewedTerms | None:
    if row is None:
        return None
    return ReviewedTerms(
        from_date=row.from_date,
        until_date=row.until_date,
        is_reviewed=row.reviewed_at is not None,
        wording=row.wording,
        signature=row.signature,
        channels=tuple(row.channels),
        seller_list=row.seller_snapshot,
    )


def _consent_row(
    claimed: dict[str, Any],
    record: dict[str, Any],
    address: str,
    touch: Touch,
    terms: SourceTerms | None,
    at: datetime,
) -> Consent:
    is_email = "@" in address
    channels = [
        channel for channel in record.get("channels", []) if (channel == "email") == is_email
    ]
    status = str(claimed.get("status", "not_provided"))
    if status == "not_provided" and terms and terms.channels and record.get("type") == "written":
        status = "granted"  # the reviewed terms prove what the payload omits
    timestamp = claimed.get("timestamp")
    wording = str(claimed.get("text") or (terms.wording if terms else ""))
    return Consent(
        id=uuid7_at(at),
        idempotency_key=_consent_key("touch", touch, address),
        person=touch.person,
        address=address,
        delivery_id=touch.delivery_id,
        terms=terms,
        status=status,
        channels=channels,
        record=record | {"channels": channels},
        wording=wording,
        wording_sha256=hashlib.sha256(wording.encode()).hexdigest() if wording else "",
        captured_at=datetime.fromisoformat(timestamp) if timestamp else None,
        recorded_at=at,
    )


def _recorded_event(row: Consent, touch: Touch, at: datetime) -> Event:
    return build_event(
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
    """Return whether the record of a granted phone consent is complete; None for other rows."""
    if row.status != "granted" or "@" in row.address:
        return None
    return (
        telemarketing_records.check_record_complete("consent", recorded_fields(row)).decision
        is Decision.ALLOW
    )


def _consent_key(kind: str, touch: Touch, address: str) -> str:
    """Build the idempotency key for a touch and an address; hash addresses that are too long."""
    key = f"{kind}:{touch.pk}:{address}"
    if len(key) <= MAX_KEY_LENGTH:
        return key
    return f"{kind}:{touch.pk}:sha256:{hashlib.sha256(address.encode()).hexdigest()}"


def store_inquiry_stops(inquiry: CanonicalLead, *, touch: Touch, at: datetime) -> None:
    """Store what ends contact: the vendor's do-not-contact flags and stops in the words."""
    store_vendor_suppression(inquiry, person=touch.person, touch=touch, at=at)
    _store_stop_in_words(inquiry, touch=touch, at=at)


def _store_stop_in_words(inquiry: CanonicalLead, *, touch: Touch, at: datetime) -> None:
    """Store a stop, or a hold for review, for every address of an inquiry whose words ask for it.

    Once for each touch, address and meaning. "Wrong number" inside an inquiry is a doubt: somebody
    gave us these contacts in the same breath.
    """
    reply = stops_in_inquiries.classify_inquiry(inquiry)
    if reply is None:
        return
    is_stop = reply.meaning is ReplyMeaning.REVOKE
    for address in _inquiry_addresses(inquiry):
        store_revocation.store_revocation(
            person_id=touch.person_id,
            address=address,
            kind="stop" if is_stop else "review",
            media=["email"] if "@" in address else PHONE_MEDIA,
            words=reply.text[:500],
            origin=f"delivery:{touch.delivery_id}",
            idempotency_key=_consent_key("words" if is_stop else "doubt", touch, address),
            at=at,
        )


def store_vendor_suppression(
    inquiry: CanonicalLead, *, person: Person, touch: Touch, at: datetime
) -> None:
    """Store a vendor's do-not-contact flags as an opt-out; a later lead does not undo it."""
    suppression = inquiry.suppression
    if suppression is None:
        return
    media = [
        medium
        for name, names in MEDIA_BY_SUPPRESSION.items()
        if getattr(suppression, name)
        for medium in names
    ]
    if not media:
        return
    for address in _inquiry_addresses(inquiry):
        address_media = [medium for medium in media if (medium == "email") == ("@" in address)]
        if address_media:
            store_revocation.store_revocation(
                person_id=person.pk,
                address=address,
                kind="vendor",
                media=address_media,
                words=(suppression.reason or "")[:500],
                origin=f"delivery:{touch.delivery_id}",
                idempotency_key=_consent_key("vendor", touch, address),
                at=at,
            )

"""Lead e-mails in ADF 1.0, a trade's XML, in the body or attached.

Wire format: docs/sources/email.md.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rooftree.capture.parsing.build_envelope import build_envelope
from rooftree.capture.parsing.envelope import (
    Envelope,
    IncomingDelivery,
    Outcome,
    quarantined_envelope,
    rejected_envelope,
)
from rooftree.capture.parsing.lead_email_parser import EMAIL_SETTINGS, UNSET_ANSWER, LeadEmail
from rooftree.capture.parsing.lead_email_parser import read_lead_email as read_mail
from rooftree.capture.parsing.normalize_values import (
    borrower_name,
    consumer_message,
    email_addresses,
    none_if_empty,
    parse_address,
    parse_moment,
    phone_numbers,
    short_text,
    squash_word,
    vendor_identifier,
)
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.vendor_words import CONTACT_TIMES
from rooftree.capture.parsing.wire_formats import Element, UnreadableBody, parse_xml
from rooftree.leads.canonical import Address, Borrower, CanonicalLead, ContactPreference
from rooftree.leads.vocabulary import Channel, PhoneType, Source

LABEL = "Lead e-mails in ADF (XML)"
PATHS = ["email_adf/<token>"]
CHANNEL = Channel.EMAIL
SETTINGS = EMAIL_SETTINGS
PHONE_TYPES = {
    "cellphone": PhoneType.MOBILE,
    "cell": PhoneType.MOBILE,
    "mobile": PhoneType.MOBILE,
    "home": PhoneType.HOME,
    "work": PhoneType.WORK,
}
_ADF_START, _ADF_END = re.compile(rb"<adf\b", re.IGNORECASE), b"</adf"
_XML_DECLARATION = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>)", re.IGNORECASE)


def read(incoming: IncomingDelivery) -> Envelope:
    """One e-mail. Never raises."""
    return read_mail(incoming, lambda letter: _build_envelope(letter, incoming))


def _build_envelope(letter: LeadEmail, incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    notes.warn_of_secrets(incoming.masked.found)
    key = f"email:{letter.reference}"
    try:
        root = _parse_document(letter, notes)
    except UnreadableBody as error:
        if str(error) == "xml_dtd_forbidden":
            return rejected_envelope(
                Outcome.REJECTED_MALFORMED, str(error), UNSET_ANSWER, tell_operations=True
            )
        return quarantined_envelope(str(error), UNSET_ANSWER, key=key, warnings=notes.warnings)
    lead = _build_lead(root, incoming, notes)
    whole = build_envelope(lead, UNSET_ANSWER, notes)
    return whole if lead.vendor_lead_id else replace(whole, idempotency_key=key)


def _parse_document(letter: LeadEmail, notes: ReadingNotes) -> Element:
    """The first ADF of the letter. Raises `Unreadable`; what is not well-formed is mended in
    its comments alone, where people's own words break it."""
    for content in (*letter.files, *(text.encode() for text in letter.texts)):
        begins, ends = _ADF_START.search(content), content.lower().rfind(_ADF_END)
        if begins is None or ends < begins.start():
            continue
        if b"<!doctype" in content.lower():
            raise UnreadableBody("xml_dtd_forbidden")
        declared = _XML_DECLARATION.match(content) if content in letter.files else None
        document = (declared[1] if declared else b"") + content[begins.start() : ends] + b"</adf>"
        try:
            return parse_xml(document, notes)
        except UnreadableBody:
            root = parse_xml(_repair_comments(document), notes)
        notes.warn("xml_repaired")
        return root
    raise UnreadableBody("no_adf")


def _repair_comments(document: bytes) -> bytes:
    """The document with what stands in its comments taken as plain text. In one pass."""
    lowered = document.lower()
    parts, last = [], 0
    while (begins := lowered.find(b"<comments", last)) >= 0:
        inside = lowered.find(b">", begins) + 1
        ends = lowered.find(b"</comments", inside)
        if not inside or ends < 0:
            break
        words = document[inside:ends].replace(b"]]>", b"]]]]><![CDATA[>")
        parts += [document[last:inside], b"<![CDATA[", words, b"]]>"]
        last = ends
    return b"".join([*parts, document[last:]])


def _children_named(one: Element | None, name: str) -> list[Element]:
    """The children of that name."""
    return [part for part in (one.children if one else []) if part.name.lower() == name]


def _text_at(one: Element | None, *path: str) -> str:
    """The text at the end of a path of children; "" where there is none."""
    for name in path:
        one = next(iter(_children_named(one, name)), None)
    return one.text.strip() if one else ""


def _build_lead(root: Element, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    prospect = next(iter(_children_named(root, "prospect")), root)
    customer = next(iter(_children_named(prospect, "customer")), None)
    contact = next(iter(_children_named(customer, "contact")), None)
    zone = incoming.endpoint.zone
    said_at, precision = parse_moment(
        _text_at(prospect, "requestdate"), "requestdate", notes, zone=zone
    )
    ids = _children_named(prospect, "id")
    source = next((one.attributes.get("source") for one in ids if one.attributes.get("source")), "")
    numbers = _children_named(contact, "phone")
    return CanonicalLead(
        source=Source.EMAIL_ADF,
        channel=CHANNEL,
        sub_source=short_text(source)
        or short_text(_name_part(next(iter(_children_named(prospect, "provider")), None), "full")),
        vendor_lead_id=next((found for one in ids if (found := vendor_identifier(one.text))), None),
        submitted_at=said_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        message=consumer_message(
            [_text_at(customer, "comments"), _text_at(prospect, "comments")], notes
        ),
        borrower=_build_borrower(contact, notes),
        phones=phone_numbers(
            [
                (number.text, _phone_type(number))
                for number in numbers
                if not _is_fax_or_pager(number)
            ],
            notes,
        ),
        emails=email_addresses([one.text for one in _children_named(contact, "email")], notes),
        mailing_address=_build_address(
            next(iter(_children_named(contact, "address")), None), notes
        ),
        contact_pref=_build_contact_preference(numbers),
        extras=notes.extras,
    )


def _name_part(holder: Element | None, part: str) -> str:
    named = [
        one for one in _children_named(holder, "name") if one.attributes.get("part", "full") == part
    ]
    return " ".join(one.text.strip() for one in named)


def _build_borrower(contact: Element | None, notes: ReadingNotes) -> Borrower | None:
    found = borrower_name(
        _name_part(contact, "first"),
        _name_part(contact, "last"),
        notes,
        full=_name_part(contact, "full"),
    )
    middle = short_text(_name_part(contact, "middle"))
    return replace(found, middle_name=middle) if found and middle else found


def _phone_type(one: Element) -> PhoneType:
    return PHONE_TYPES.get(squash_word(one.attributes.get("type", "")), PhoneType.UNKNOWN)


def _is_fax_or_pager(one: Element) -> bool:
    return squash_word(one.attributes.get("type", "")) in ("fax", "pager")


def _build_contact_preference(numbers: Iterable[Element]) -> ContactPreference | None:
    told = (CONTACT_TIMES.get(squash_word(number.attributes.get("time", ""))) for number in numbers)
    return none_if_empty(ContactPreference(time=next(filter(None, told), None)))


def _build_address(found: Element | None, notes: ReadingNotes) -> Address | None:
    streets = {
        one.attributes.get("line", "1"): one.text.strip()
        for one in _children_named(found, "street")
    }
    parts: dict[str, Any] = {
        "line1": streets.get("1"),
        "line2": streets.get("2") or _text_at(found, "apartment"),
        "city": _text_at(found, "city"),
        "state": _text_at(found, "regioncode"),
        "zip": _text_at(found, "postalcode"),
    }
    country = short_text(_text_at(found, "country"))
    kept = parse_address(parts, notes, state_key="regioncode", zip_key="postalcode")
    abroad = country.upper() if country and len(country) == 2 and country.upper() != "US" else None
    return none_if_empty(Address(**kept, country=abroad))

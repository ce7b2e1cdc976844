"""Lead emails in ADF 1.0, an industry XML format, in the body or attached.

Wire format: docs/sources/email.md.
"""

import html
import re
from collections.abc import Iterable, Iterator
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
from rooftree.capture.parsing.lead_email_parser import (
    EMAIL_SETTINGS,
    UNSET_ANSWER,
    LeadEmail,
    read_lead_email,
)
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
from rooftree.core import read_html
from rooftree.leads.canonical import Address, Borrower, CanonicalLead, ContactPreference, Phone
from rooftree.leads.vocabulary import Channel, PhoneType, Source

LABEL = "Lead emails in ADF (XML)"
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
_FOREIGN_DOCTYPE = re.compile(rb"<!doctype(?!\s{1,9}html\b)", re.IGNORECASE)
_XML_DECLARATION = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>)", re.IGNORECASE)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one email. Never raises."""
    return read_lead_email(incoming, lambda email: _build_envelope(email, incoming))


def _build_envelope(email: LeadEmail, incoming: IncomingDelivery) -> Envelope:
    notes = ReadingNotes()
    notes.warn_of_secrets(incoming.masked.kinds)
    key = f"email:{email.reference}"
    try:
        root = _parse_document(email, notes)
    except UnreadableBody as error:
        if str(error) == "xml_dtd_forbidden":
            return rejected_envelope(
                Outcome.REJECTED_MALFORMED, str(error), UNSET_ANSWER, tell_operations=True
            )
        return quarantined_envelope(str(error), UNSET_ANSWER, key=key, warnings=notes.warnings)
    lead = _build_lead(root, incoming, notes)
    envelope = build_envelope(lead, UNSET_ANSWER, notes)
    return envelope if lead.vendor_lead_id else replace(envelope, idempotency_key=key)


def _parse_document(email: LeadEmail, notes: ReadingNotes) -> Element:
    """Parse the first ADF document of the email. Raises `UnreadableBody`.

    A malformed document is repaired only in its comments, where free text breaks the XML.
    """
    for content in _list_contents(email):
        start, end = _ADF_START.search(content), content.lower().rfind(_ADF_END)
        if start is None or end < start.start():
            continue
        if _FOREIGN_DOCTYPE.search(content):
            raise UnreadableBody("xml_dtd_forbidden")
        declaration = _XML_DECLARATION.match(content) if content in email.xml_files else None
        document = (
            (declaration[1] if declaration else b"") + content[start.start() : end] + b"</adf>"
        )
        try:
            return parse_xml(document, notes)
        except UnreadableBody:
            root = parse_xml(_repair_comments(document), notes)
        notes.warn("xml_repaired")
        return root
    raise UnreadableBody("no_adf")


def _list_contents(email: LeadEmail) -> Iterator[bytes]:
    """Yield what can hold the document: attachments, the text, and the HTML as written or shown.

    Some senders put the document into an HTML page with every sign written as an entity.
    """
    yield from email.xml_files
    for text in (*email.text_parts, *email.html_parts):
        yield text.encode()
    for text in email.text_parts:
        yield html.unescape(text).encode()
    for page in email.html_parts:
        tree = read_html.parse_html(page)
        yield b"" if tree is None else str(tree.text_content()).encode()


def _repair_comments(document: bytes) -> bytes:
    """Wrap the text of all comments elements in CDATA, in one pass."""
    lowered = document.lower()
    parts, last = [], 0
    while (start := lowered.find(b"<comments", last)) >= 0:
        text_start = lowered.find(b">", start) + 1
        end = lowered.find(b"</comments", text_start)
        if not text_start or end < 0:
            break
        comment_text = document[text_start:end].replace(b"]]>", b"]]]]><![CDATA[>")
        parts += [document[last:text_start], b"<![CDATA[", comment_text, b"]]>"]
        last = end
    return b"".join([*parts, document[last:]])


def _children_named(element: Element | None, name: str) -> list[Element]:
    """Return the children of that name."""
    return [child for child in (element.children if element else []) if child.name.lower() == name]


def _text_at(element: Element | None, *path: str) -> str:
    """Return the text at the end of a path of children; "" where there is none."""
    for name in path:
        element = next(iter(_children_named(element, name)), None)
    return element.text.strip() if element else ""


def _build_lead(root: Element, incoming: IncomingDelivery, notes: ReadingNotes) -> CanonicalLead:
    prospect = next(iter(_children_named(root, "prospect")), root)
    customer = next(iter(_children_named(prospect, "customer")), None)
    contact = next(iter(_children_named(customer, "contact")), None)
    zone = incoming.endpoint.zone
    submitted_at, precision = parse_moment(
        _text_at(prospect, "requestdate"), "requestdate", notes, zone=zone
    )
    ids = _children_named(prospect, "id")
    numbers = _children_named(contact, "phone")
    times = (
        CONTACT_TIMES.get(squash_word(number.attributes.get("time", ""))) for number in numbers
    )
    return CanonicalLead(
        source=Source.EMAIL_ADF,
        channel=CHANNEL,
        sub_source=_sender_name(prospect, ids),
        vendor_lead_id=next(
            (lead_id for element in ids if (lead_id := vendor_identifier(element.text))), None
        ),
        submitted_at=submitted_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        message=consumer_message(
            [_text_at(customer, "comments"), _text_at(prospect, "comments")], notes
        ),
        borrower=_build_borrower(contact, notes),
        phones=_build_phones(numbers, notes),
        emails=email_addresses(
            [element.text for element in _children_named(contact, "email")], notes
        ),
        mailing_address=_build_address(
            next(iter(_children_named(contact, "address")), None), notes
        ),
        contact_pref=none_if_empty(ContactPreference(time=next(filter(None, times), None))),
        extras=notes.extras,
    )


def _sender_name(prospect: Element, ids: Iterable[Element]) -> str | None:
    """Return the source that an id names, else the provider."""
    sources = (element.attributes.get("source") for element in ids)
    provider = next(iter(_children_named(prospect, "provider")), None)
    return short_text(next(filter(None, sources), "")) or short_text(_name_part(provider, "full"))


def _name_part(holder: Element | None, part: str) -> str:
    elements = [
        element
        for element in _children_named(holder, "name")
        if element.attributes.get("part", "full") == part
    ]
    return " ".join(element.text.strip() for element in elements)


def _build_borrower(contact: Element | None, notes: ReadingNotes) -> Borrower | None:
    borrower = borrower_name(
        _name_part(contact, "first"),
        _name_part(contact, "last"),
        notes,
        full=_name_part(contact, "full"),
    )
    middle = short_text(_name_part(contact, "middle"))
    return replace(borrower, middle_name=middle) if borrower and middle else borrower


def _build_phones(numbers: Iterable[Element], notes: ReadingNotes) -> tuple[Phone, ...]:
    """Parse phone numbers; skip faxes and pagers."""
    typed = [(squash_word(number.attributes.get("type", "")), number.text) for number in numbers]
    return phone_numbers(
        [
            (text, PHONE_TYPES.get(word, PhoneType.UNKNOWN))
            for word, text in typed
            if word not in ("fax", "pager")
        ],
        notes,
    )


def _build_address(address: Element | None, notes: ReadingNotes) -> Address | None:
    streets = {
        element.attributes.get("line", "1"): element.text.strip()
        for element in _children_named(address, "street")
    }
    parts: dict[str, Any] = {
        "line1": streets.get("1"),
        "line2": streets.get("2") or _text_at(address, "apartment"),
        "city": _text_at(address, "city"),
        "state": _text_at(address, "regioncode"),
        "zip": _text_at(address, "postalcode"),
    }
    country = short_text(_text_at(address, "country"))
    fields = parse_address(parts, notes, state_key="regioncode", zip_key="postalcode")
    foreign_country = (
        country.upper() if country and len(country) == 2 and country.upper() != "US" else None
    )
    return none_if_empty(Address(**fields, country=foreign_country))

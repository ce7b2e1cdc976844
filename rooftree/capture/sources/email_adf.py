"""Lead e-mails in ADF 1.0, a trade's XML, in the body or attached.

Wire format: docs/sources/email.md.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rooftree.capture.conclude import conclude
from rooftree.capture.envelope import Envelope, Incoming, Outcome, quarantined, refused
from rooftree.capture.mail import OF_LETTERS, UNSAID, Letter
from rooftree.capture.mail import read as read_mail
from rooftree.capture.normalise import (
    address_fields,
    emails,
    identifier,
    known,
    message,
    moment,
    person,
    phones,
    squashed,
    text,
)
from rooftree.capture.notes import Notes
from rooftree.capture.wire import Element, Unreadable, xml_root
from rooftree.capture.words import CONTACT_TIMES
from rooftree.leads.canonical import Address, Borrower, CanonicalLead, ContactPreference
from rooftree.leads.vocabulary import Channel, PhoneType, Source

LABEL = "Lead e-mails in ADF (XML)"
PATHS = ["email_adf/<token>"]
CHANNEL = Channel.EMAIL
SETTINGS = OF_LETTERS
PHONE_TYPES = {
    "cellphone": PhoneType.MOBILE,
    "cell": PhoneType.MOBILE,
    "mobile": PhoneType.MOBILE,
    "home": PhoneType.HOME,
    "work": PhoneType.WORK,
}
_BEGINS, _ENDS = re.compile(rb"<adf\b", re.IGNORECASE), b"</adf"
_DECLARED = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>)", re.IGNORECASE)


def read(incoming: Incoming) -> Envelope:
    """One e-mail. Never raises."""
    return read_mail(incoming, lambda letter: _enveloped(letter, incoming))


def _enveloped(letter: Letter, incoming: Incoming) -> Envelope:
    notes = Notes()
    notes.warn_of(incoming.masked.found)
    key = f"email:{letter.reference}"
    try:
        root = _document(letter, notes)
    except Unreadable as error:
        if str(error) == "xml_dtd_forbidden":
            return refused(Outcome.REJECTED_MALFORMED, str(error), UNSAID, tell_operations=True)
        return quarantined(str(error), UNSAID, key=key, warnings=notes.warnings)
    lead = _lead(root, incoming, notes)
    whole = conclude(lead, UNSAID, notes)
    return whole if lead.vendor_lead_id else replace(whole, idempotency_key=key)


def _document(letter: Letter, notes: Notes) -> Element:
    """The first ADF of the letter. Raises `Unreadable`; what is not well-formed is mended in
    its comments alone, where people's own words break it."""
    for content in (*letter.files, *(one.encode() for one in letter.texts)):
        begins, ends = _BEGINS.search(content), content.lower().rfind(_ENDS)
        if begins is None or ends < begins.start():
            continue
        if b"<!doctype" in content.lower():
            raise Unreadable("xml_dtd_forbidden")
        declared = _DECLARED.match(content) if content in letter.files else None
        document = (declared[1] if declared else b"") + content[begins.start() : ends] + b"</adf>"
        try:
            return xml_root(document, notes)
        except Unreadable:
            root = xml_root(_mended(document), notes)
        notes.warn("xml_repaired")
        return root
    raise Unreadable("no_adf")


def _mended(document: bytes) -> bytes:
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


def _all(one: Element | None, name: str) -> list[Element]:
    """The children of that name."""
    return [part for part in (one.children if one else []) if part.name.lower() == name]


def _text(one: Element | None, *path: str) -> str:
    """The text at the end of a path of children; "" where there is none."""
    for name in path:
        one = next(iter(_all(one, name)), None)
    return one.text.strip() if one else ""


def _lead(root: Element, incoming: Incoming, notes: Notes) -> CanonicalLead:
    prospect = next(iter(_all(root, "prospect")), root)
    customer = next(iter(_all(prospect, "customer")), None)
    contact = next(iter(_all(customer, "contact")), None)
    zone = incoming.endpoint.zone
    said_at, precision = moment(_text(prospect, "requestdate"), "requestdate", notes, zone=zone)
    ids = _all(prospect, "id")
    source = next((one.attributes.get("source") for one in ids if one.attributes.get("source")), "")
    numbers = _all(contact, "phone")
    return CanonicalLead(
        source=Source.EMAIL_ADF,
        channel=CHANNEL,
        sub_source=text(source)
        or text(_name(next(iter(_all(prospect, "provider")), None), "full")),
        vendor_lead_id=next((found for one in ids if (found := identifier(one.text))), None),
        submitted_at=said_at,
        submitted_at_precision=precision,
        received_at=incoming.received_at,
        is_test=incoming.endpoint.is_test,
        message=message([_text(customer, "comments"), _text(prospect, "comments")], notes),
        borrower=_person(contact, notes),
        phones=phones([(one.text, _kind(one)) for one in numbers if not _is_fax(one)], notes),
        emails=emails([one.text for one in _all(contact, "email")], notes),
        mailing_address=_address(next(iter(_all(contact, "address")), None), notes),
        contact_pref=_preference(numbers),
        extras=notes.extras,
    )


def _name(holder: Element | None, part: str) -> str:
    named = [one for one in _all(holder, "name") if one.attributes.get("part", "full") == part]
    return " ".join(one.text.strip() for one in named)


def _person(contact: Element | None, notes: Notes) -> Borrower | None:
    found = person(
        _name(contact, "first"), _name(contact, "last"), notes, full=_name(contact, "full")
    )
    middle = text(_name(contact, "middle"))
    return replace(found, middle_name=middle) if found and middle else found


def _kind(one: Element) -> PhoneType:
    return PHONE_TYPES.get(squashed(one.attributes.get("type", "")), PhoneType.UNKNOWN)


def _is_fax(one: Element) -> bool:
    return squashed(one.attributes.get("type", "")) in ("fax", "pager")


def _preference(numbers: Iterable[Element]) -> ContactPreference | None:
    told = (CONTACT_TIMES.get(squashed(one.attributes.get("time", ""))) for one in numbers)
    return known(ContactPreference(time=next(filter(None, told), None)))


def _address(found: Element | None, notes: Notes) -> Address | None:
    streets = {one.attributes.get("line", "1"): one.text.strip() for one in _all(found, "street")}
    parts: dict[str, Any] = {
        "line1": streets.get("1"),
        "line2": streets.get("2") or _text(found, "apartment"),
        "city": _text(found, "city"),
        "state": _text(found, "regioncode"),
        "zip": _text(found, "postalcode"),
    }
    country = text(_text(found, "country"))
    kept = address_fields(parts, notes, state_key="regioncode", zip_key="postalcode")
    abroad = country.upper() if country and len(country) == 2 and country.upper() != "US" else None
    return known(Address(**kept, country=abroad))

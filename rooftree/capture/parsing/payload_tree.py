"""The body and the query of any post as one tree of keys, lists and plain values."""

from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.value_paths import XML_TEXT_KEY
from rooftree.capture.parsing.wire_formats import (
    Element,
    UnreadableBody,
    content_charset,
    decode_body,
    parse_form,
    parse_json_object,
    parse_xml,
)
from rooftree.core.masking import mask_numbers

ITEMS_KEY = "items"  # the name of a list that stands alone
_MAX_QUERY_LENGTH = 500  # characters of a value, as they are kept
_JSON, _XML, _FORM = "json", "xml", "form"
_REJECTED_CONTENT_TYPES = (
    "multipart/",
    "image/",
    "audio/",
    "video/",
    "application/zip",
    "application/pdf",
)


def build_payload_tree(incoming: IncomingDelivery, notes: ReadingNotes) -> dict[str, Any]:
    """It is what was sent, whatever its form; a key of the body wins over one of the query.

    Raises `Unreadable`; its text is the machine's reason.
    """
    query = {name: _mask_query_value(name, value, notes) for name, value in incoming.query.items()}
    notes.warn_of_secrets(incoming.masked.found)
    body = _parse_body(incoming, notes) if incoming.body.strip() else {}
    return {**query, **body}


def _mask_query_value(name: str, value: str, notes: ReadingNotes) -> str:
    """A value of the query as it is stored: without the numbers that may not be kept."""
    masked = mask_numbers(f"{name}={value}".encode(errors="replace"))
    notes.warn_of_secrets(masked.found)
    return masked.body.decode(errors="replace")[len(name) + 1 :][:_MAX_QUERY_LENGTH]


def _parse_body(incoming: IncomingDelivery, notes: ReadingNotes) -> dict[str, Any]:
    told = content_charset(incoming.header("content-type"))
    body = incoming.masked.body
    kind = _guess_body_kind(incoming)
    if kind == _XML:
        root = parse_xml(body, notes, told=told)
        return {root.name: _element_to_tree(root)}
    if kind == _FORM:
        return parse_form(body, notes, told=told)
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"[":
        text = decode_body(body, notes, told=told).strip()
        body = f'{{"{ITEMS_KEY}":{text}}}'.encode(errors="replace")
    return parse_json_object(body, notes, told=told)


def _guess_body_kind(incoming: IncomingDelivery) -> str:
    """By the first sign of the body, which lies less than its Content-Type."""
    told = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if told.startswith(_REJECTED_CONTENT_TYPES):
        raise UnreadableBody("unsupported_content_type")
    first = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    if first in (b"{", b"["):
        return _JSON
    if first == b"<":
        return _XML
    return _JSON if told.endswith("json") else _XML if told.endswith("xml") else _FORM


def _element_to_tree(one: Element) -> Any:
    """An element as an object: `@name` for attributes, a list for what is repeated."""
    text = one.text.strip()
    if not one.children and not one.attributes:
        return text
    found: dict[str, Any] = {f"@{name}": value for name, value in one.attributes.items()}
    for child in one.children:
        if child.name not in found:
            found[child.name] = _element_to_tree(child)
            continue
        held = found[child.name]
        found[child.name] = [*(held if isinstance(held, list) else [held]), _element_to_tree(child)]
    return {**found, XML_TEXT_KEY: text} if text else found

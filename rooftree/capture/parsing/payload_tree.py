"""Parser from the body and query of any post to one tree of keys, lists and plain values."""

from typing import Any

from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.multipart_forms import is_multipart_form, parse_multipart
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

ITEMS_KEY = "items"  # key for a body that is a bare list
_MAX_QUERY_LENGTH = 500  # characters stored of one value
_JSON, _XML, _FORM, _MULTIPART = "json", "xml", "form", "multipart"
_REJECTED_CONTENT_TYPES = (
    "multipart/",  # other than a form
    "image/",
    "audio/",
    "video/",
    "application/zip",
    "application/pdf",
)


def build_payload_tree(incoming: IncomingDelivery, notes: ReadingNotes) -> dict[str, Any]:
    """Parse a post in any format; a key in the body wins over the same key in the query.

    Numbers we must not store are masked. Raises `UnreadableBody`; its text is the reason code.
    """
    query: dict[str, Any] = {}
    for name, value in incoming.query.items():
        masked = mask_numbers(f"{name}={value}".encode(errors="replace"))
        notes.warn_of_secrets(masked.kinds)
        query[name] = masked.body.decode(errors="replace")[len(name) + 1 :][:_MAX_QUERY_LENGTH]
    notes.warn_of_secrets(incoming.masked.kinds)
    body = _parse_body(incoming, notes) if incoming.body.strip() else {}
    return {**query, **body}


def _parse_body(incoming: IncomingDelivery, notes: ReadingNotes) -> dict[str, Any]:
    charset = content_charset(incoming.header("content-type"))
    body = incoming.masked.body
    kind = _guess_body_kind(incoming)
    if kind == _XML:
        root = parse_xml(body, notes, declared_charset=charset)
        return {root.name: _element_to_tree(root)}
    if kind in (_FORM, _MULTIPART):
        if kind == _MULTIPART:
            fields = parse_multipart(body, incoming.header("content-type"), notes)
        else:
            fields = parse_form(body, notes, declared_charset=charset)
        return {name: _open_json_text(value, notes) for name, value in fields.items()}
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"[":
        text = decode_body(body, notes, declared_charset=charset).strip()
        body = f'{{"{ITEMS_KEY}":{text}}}'.encode(errors="replace")
    return parse_json_object(body, notes, declared_charset=charset)


def _open_json_text(value: Any, notes: ReadingNotes) -> Any:
    """Parse a form field that holds a whole JSON object, as in Unbounce's `data.json`."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return parse_json_object(value.encode(errors="replace"), notes)
    except UnreadableBody:
        return value


def _guess_body_kind(incoming: IncomingDelivery) -> str:
    """Guess the format by the first character, which is more reliable than the Content-Type."""
    content_type = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if is_multipart_form(content_type):
        return _MULTIPART
    if content_type.startswith(_REJECTED_CONTENT_TYPES):
        raise UnreadableBody("unsupported_content_type")
    first = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    if first in (b"{", b"["):
        return _JSON
    if first == b"<":
        return _XML
    return (
        _JSON if content_type.endswith("json") else _XML if content_type.endswith("xml") else _FORM
    )


def _element_to_tree(element: Element) -> Any:
    """Convert an element to an object: `@name` for attributes, a list for repeated children."""
    text = element.text.strip()
    if not element.children and not element.attributes:
        return text
    tree: dict[str, Any] = {f"@{name}": value for name, value in element.attributes.items()}
    for child in element.children:
        if child.name not in tree:
            tree[child.name] = _element_to_tree(child)
            continue
        existing = tree[child.name]
        tree[child.name] = [
            *(existing if isinstance(existing, list) else [existing]),
            _element_to_tree(child),
        ]
    return {**tree, XML_TEXT_KEY: text} if text else tree

"""The body and the query of any post as one tree of keys, lists and plain values."""

from typing import Any

from rooftree.capture.envelope import Incoming
from rooftree.capture.notes import Notes
from rooftree.capture.paths import TEXT
from rooftree.capture.wire import (
    Element,
    Unreadable,
    charset,
    form_fields,
    json_object,
    text_of,
    xml_root,
)
from rooftree.core.masking import mask

ITEMS = "items"  # the name of a list that stands alone
_LONGEST_QUERY = 500  # characters of a value, as they are kept
_JSON, _XML, _FORM = "json", "xml", "form"
_REFUSED = ("multipart/", "image/", "audio/", "video/", "application/zip", "application/pdf")


def tree_of(incoming: Incoming, notes: Notes) -> dict[str, Any]:
    """It is what was sent, whatever its form; a key of the body wins over one of the query.

    Raises `Unreadable`; its text is the machine's reason.
    """
    query = {name: _kept(name, value, notes) for name, value in incoming.query.items()}
    notes.warn_of(incoming.masked.found)
    body = _body(incoming, notes) if incoming.body.strip() else {}
    return {**query, **body}


def _kept(name: str, value: str, notes: Notes) -> str:
    """A value of the query as it is stored: without the numbers that may not be kept."""
    masked = mask(f"{name}={value}".encode(errors="replace"))
    notes.warn_of(masked.found)
    return masked.body.decode(errors="replace")[len(name) + 1 :][:_LONGEST_QUERY]


def _body(incoming: Incoming, notes: Notes) -> dict[str, Any]:
    told = charset(incoming.header("content-type"))
    body = incoming.masked.body
    kind = _kind(incoming)
    if kind == _XML:
        root = xml_root(body, notes, told=told)
        return {root.name: _plain(root)}
    if kind == _FORM:
        return form_fields(body, notes, told=told)
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"[":
        text = text_of(body, notes, told=told).strip()
        body = f'{{"{ITEMS}":{text}}}'.encode(errors="replace")
    return json_object(body, notes, told=told)


def _kind(incoming: Incoming) -> str:
    """By the first sign of the body, which lies less than its Content-Type."""
    told = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if told.startswith(_REFUSED):
        raise Unreadable("unsupported_content_type")
    first = incoming.body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    if first in (b"{", b"["):
        return _JSON
    if first == b"<":
        return _XML
    return _JSON if told.endswith("json") else _XML if told.endswith("xml") else _FORM


def _plain(one: Element) -> Any:
    """An element as an object: `@name` for attributes, a list for what is repeated."""
    text = one.text.strip()
    if not one.children and not one.attributes:
        return text
    found: dict[str, Any] = {f"@{name}": value for name, value in one.attributes.items()}
    for child in one.children:
        if child.name not in found:
            found[child.name] = _plain(child)
            continue
        held = found[child.name]
        found[child.name] = [*(held if isinstance(held, list) else [held]), _plain(child)]
    return {**found, TEXT: text} if text else found

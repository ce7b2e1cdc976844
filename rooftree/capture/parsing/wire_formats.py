"""Bytes to plain objects: JSON, forms, XML. Each gives None or raises `Unreadable`, never more."""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl
from xml.parsers import expat

from rooftree.capture.parsing.reading_notes import ReadingNotes

_MAX_DEPTH = 50  # levels of XML or JSON
_MAX_INTEGER_DIGITS = 400  # digits; a longer one stays text
_MAX_FORM_FIELDS = 2_000  # of a form
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


class UnreadableBody(Exception):
    """The body is not what it claims; the text is the machine's reason."""


@dataclass(slots=True)
class Element:
    """One XML element without its namespace."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def descendants_by_name(self) -> dict[str, "Element"]:
        """Everything below, by lower-case name; of several the first in document order."""
        found: dict[str, Element] = {}
        waiting = [*reversed(self.children)]
        while waiting:
            one = waiting.pop()
            found.setdefault(one.name.lower(), one)
            waiting += reversed(one.children)
        return found

    def find(self, name: str) -> "Element | None":
        """The first element of that name below this one, in any case."""
        return self.descendants_by_name().get(name.lower())

    def value(self) -> str:
        """Attribute `val`, else a child `val`, else the text."""
        named = {key.lower(): held for key, held in self.attributes.items()}
        for key in ("val", "value"):
            if key in named:
                return named[key]
        child = next(
            (child for child in self.children if child.name.lower() in ("val", "value")), None
        )
        return child.value() if child else self.text.strip()


def content_charset(content_type: str | None) -> str | None:
    """It is the charset a Content-Type header names, when Python knows it."""
    found = _CHARSET.search(content_type or "")
    try:
        return codecs.lookup(found[1]).name if found else None
    except LookupError:
        return None


def decode_body(body: bytes, notes: ReadingNotes, *, told: str | None = None) -> str:
    """It is the body as text: byte-order mark, then UTF-8, then the charset told, then cp1252."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for encoding in ("utf-8", told or "utf-8"):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    notes.warn("encoding_guessed:cp1252")
    return body.decode("cp1252", "replace")


def parse_json_object(
    body: bytes, notes: ReadingNotes, *, told: str | None = None
) -> dict[str, Any]:
    """It is the one JSON object in the body.

    Integers stay exact, fractions become `Decimal`. Of a repeated key the first value
    that is not empty stays, with a warning. Raises `Unreadable("invalid_json")`.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        return merge_pairs(found, notes)

    text = decode_body(body, notes, told=told).strip()
    try:
        found = json.loads(
            text,
            strict=False,  # senders break lines inside of strings
            object_pairs_hook=pairs,
            parse_float=Decimal,
            parse_int=lambda digits: int(digits) if len(digits) < _MAX_INTEGER_DIGITS else digits,
            parse_constant=lambda _: None,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise UnreadableBody("invalid_json") from error
    if not isinstance(found, dict) or _nesting_depth(found) > _MAX_DEPTH:
        raise UnreadableBody("invalid_json")
    return found


def parse_form(body: bytes, notes: ReadingNotes, *, told: str | None = None) -> dict[str, Any]:
    """It is a URL-encoded form as one flat object. Raises `Unreadable("invalid_form")`."""
    text = decode_body(body, notes, told=told).strip()
    try:
        found = parse_qsl(
            text, keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS, errors="surrogateescape"
        )
    except ValueError as error:
        raise UnreadableBody("invalid_form") from error
    return merge_pairs([(_repair_text(key), _repair_text(value)) for key, value in found], notes)


def merge_pairs(found: list[tuple[str, Any]], notes: ReadingNotes) -> dict[str, Any]:
    """It is one object of key and value pairs; of a repeated key the first non-empty value."""
    kept: dict[str, Any] = {}
    for key, value in found:
        if key in kept:
            notes.warn(f"repeated_key:{key[:100]}")
        if kept.get(key) in (None, ""):
            kept[key] = value
    return kept


def parse_xml(body: bytes, notes: ReadingNotes, *, told: str | None = None) -> Element:
    """It is the root element. No document type, no entity, no network, 50 levels at most.

    The declaration's encoding wins over the header's while it decodes. Raises
    `Unreadable("xml_dtd_forbidden")` or `Unreadable("invalid_xml")`.
    """
    stripped = body.strip()
    for encoding in (None, told):
        try:
            return _Builder().build(stripped, encoding)
        except (expat.ExpatError, ValueError, LookupError):
            continue
    try:
        guessed = _DECLARATION.sub("", stripped.decode("cp1252"))
        root = _Builder().build(guessed.encode(), "utf-8")
    except (expat.ExpatError, ValueError) as error:
        raise UnreadableBody("invalid_xml") from error
    notes.warn("encoding_guessed:cp1252")
    return root


class _Builder:
    """Builds the tree from expat's events; refuses a document type before anything is expanded."""

    def __init__(self) -> None:
        self._open: list[Element] = []
        self._root: Element | None = None

    def build(self, body: bytes, encoding: str | None) -> Element:
        parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        handlers: dict[str, Callable[..., object]] = {
            "StartDoctypeDeclHandler": self._refuse,
            "EntityDeclHandler": self._refuse,
            "StartElementHandler": self._start,
            "EndElementHandler": self._end,
            "CharacterDataHandler": self._text,
        }
        for name, handler in handlers.items():
            setattr(parser, name, handler)
        parser.Parse(body, True)
        if self._root is None:
            raise ValueError("no root")
        return self._root

    def _refuse(self, *_: object) -> NoReturn:
        raise UnreadableBody("xml_dtd_forbidden")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise UnreadableBody("invalid_xml")
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        one = Element(name=name.rpartition(":")[2], attributes=local)
        if self._open:
            self._open[-1].children.append(one)
        else:
            self._root = one
        self._open.append(one)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text


def _repair_text(text: str) -> str:
    """Form bytes that were not UTF-8 were Windows-1252."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text


def _nesting_depth(found: Any) -> int:
    """Levels of nesting, counted without recursion and no further than needed."""
    level, depth = [found], 0
    while level and depth <= _MAX_DEPTH:
        depth += 1
        level = [
            part
            for one in level
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, dict | list)
        ]
    return depth

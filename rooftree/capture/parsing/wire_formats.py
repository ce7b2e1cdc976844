"""Parsers from bytes to plain objects: JSON, forms, XML. They raise only `UnreadableBody`."""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn
from urllib.parse import parse_qsl
from xml.parsers import expat

from rooftree.capture.parsing.reading_notes import ReadingNotes

_MAX_DEPTH = 50  # levels of XML or JSON
_MAX_INTEGER_DIGITS = 400  # a longer integer stays text
_MAX_FORM_FIELDS = 2_000  # fields of one form
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


class UnreadableBody(Exception):
    """The body does not have the format it claims; the text is the reason code."""


@dataclass(slots=True)
class Element:
    """One XML element, without namespaces."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def descendants_by_name(self) -> dict[str, "Element"]:
        """Return all descendants by lower-case name; the first in document order wins."""
        elements: dict[str, Element] = {}
        pending = [*reversed(self.children)]
        while pending:
            element = pending.pop()
            elements.setdefault(element.name.lower(), element)
            pending += reversed(element.children)
        return elements

    def find(self, name: str) -> "Element | None":
        """Return the first descendant of that name, ignoring case, or None."""
        return self.descendants_by_name().get(name.lower())

    def value(self) -> str:
        """Return attribute `val` or `value`, else a child of that name, else the text."""
        attributes = {
            key.lower(): attribute_value for key, attribute_value in self.attributes.items()
        }
        for key in ("val", "value"):
            if key in attributes:
                return attributes[key]
        child = next(
            (child for child in self.children if child.name.lower() in ("val", "value")), None
        )
        return child.value() if child else self.text.strip()


def content_charset(content_type: str | None) -> str | None:
    """Return the charset a Content-Type header names, or None when Python doesn't know it."""
    match = _CHARSET.search(content_type or "")
    try:
        return codecs.lookup(match[1]).name if match else None
    except LookupError:
        return None


def decode_body(body: bytes, notes: ReadingNotes, *, declared_charset: str | None = None) -> str:
    """Decode the body: byte-order mark, then UTF-8, then the declared charset, then cp1252."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for encoding in ("utf-8", declared_charset or "utf-8"):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    notes.warn("encoding_guessed:cp1252")
    return body.decode("cp1252", "replace")


def parse_json_object(
    body: bytes, notes: ReadingNotes, *, declared_charset: str | None = None
) -> dict[str, Any]:
    """Parse the JSON object in the body.

    Integers stay exact, fractions become `Decimal`. For a repeated key the first non-empty
    value wins, with a warning. Raises `UnreadableBody("invalid_json")`.
    """
    text = decode_body(body, notes, declared_charset=declared_charset).strip()
    try:
        parsed = json.loads(
            text,
            strict=False,  # some senders put raw line breaks inside strings
            object_pairs_hook=partial(merge_pairs, notes=notes),
            parse_float=Decimal,
            parse_int=lambda digits: int(digits) if len(digits) < _MAX_INTEGER_DIGITS else digits,
            parse_constant=lambda _: None,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise UnreadableBody("invalid_json") from error
    if not isinstance(parsed, dict) or _nesting_depth(parsed) > _MAX_DEPTH:
        raise UnreadableBody("invalid_json")
    return parsed


def parse_form(
    body: bytes, notes: ReadingNotes, *, declared_charset: str | None = None
) -> dict[str, Any]:
    """Parse a URL-encoded form to one flat object. Raises `UnreadableBody("invalid_form")`."""
    text = decode_body(body, notes, declared_charset=declared_charset).strip()
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS, errors="surrogateescape"
        )
    except ValueError as error:
        raise UnreadableBody("invalid_form") from error
    return merge_pairs([(_repair_text(key), _repair_text(value)) for key, value in pairs], notes)


def merge_pairs(pairs: list[tuple[str, Any]], notes: ReadingNotes) -> dict[str, Any]:
    """Merge pairs to one object; for a repeated key keep the first non-empty value and warn."""
    merged: dict[str, Any] = {}
    for key, value in pairs:
        if key in merged:
            notes.warn(f"repeated_key:{key[:100]}")
        if merged.get(key) in (None, ""):
            merged[key] = value
    return merged


def parse_xml(
    body: bytes,
    notes: ReadingNotes,
    *,
    declared_charset: str | None = None,
    allow_doctype: bool = False,
) -> Element:
    """Parse XML; return the root. No document type, no entities, no network, at most 50 levels.

    With `allow_doctype`, a document type that only names its DTD is skipped: nothing is fetched,
    and one that declares anything itself is still refused.

    The declaration's encoding wins over the header's when it decodes. Raises
    `UnreadableBody("xml_dtd_forbidden")` or `UnreadableBody("invalid_xml")`.
    """
    stripped = body.strip()
    for encoding in (None, declared_charset):
        try:
            return _Builder(allow_doctype=allow_doctype).build(stripped, encoding)
        except (expat.ExpatError, ValueError, LookupError):
            continue
    try:
        guessed = _DECLARATION.sub("", stripped.decode("cp1252"))
        root = _Builder(allow_doctype=allow_doctype).build(guessed.encode(), "utf-8")
    except (expat.ExpatError, ValueError) as error:
        raise UnreadableBody("invalid_xml") from error
    notes.warn("encoding_guessed:cp1252")
    return root


class _Builder:
    """Builds the tree from expat events; rejects a document type before any expansion."""

    def __init__(self, *, allow_doctype: bool) -> None:
        self._allow_doctype = allow_doctype
        self._open: list[Element] = []
        self._root: Element | None = None

    def build(self, body: bytes, encoding: str | None) -> Element:
        parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        handlers: dict[str, Callable[..., object]] = {
            "StartDoctypeDeclHandler": self._check_doctype,
            "SkippedEntityHandler": lambda name, _: self._text(f"&{name};"),
            "EntityDeclHandler": self._refuse,
            "StartElementHandler": self._start,
            "EndElementHandler": lambda _: self._open.pop(),
            "CharacterDataHandler": self._text,
        }
        for name, handler in handlers.items():
            setattr(parser, name, handler)
        parser.Parse(body, True)
        if self._root is None:
            raise ValueError("no root")
        return self._root

    def _check_doctype(self, _: str, __: str | None, ___: str | None, has_subset: int) -> None:
        if has_subset or not self._allow_doctype:
            raise UnreadableBody("xml_dtd_forbidden")

    def _refuse(self, *_: object) -> NoReturn:
        raise UnreadableBody("xml_dtd_forbidden")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise UnreadableBody("invalid_xml")
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        element = Element(name=name.rpartition(":")[2], attributes=local)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text


def _repair_text(text: str) -> str:
    """Decode form bytes that were not UTF-8 as Windows-1252."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text


def _nesting_depth(tree: Any) -> int:
    """Count nesting levels, without recursion, and stop past `_MAX_DEPTH`."""
    level, depth = [tree], 0
    while level and depth <= _MAX_DEPTH:
        depth += 1
        level = [
            part
            for node in level
            for part in (node.values() if isinstance(node, dict) else node)
            if isinstance(part, dict | list)
        ]
    return depth

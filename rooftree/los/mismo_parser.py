"""Parse a MISMO 3.4 file from outside: no document type, no entity, no identity number.

Work is linear in the input. SSNs, birth dates and account numbers are taken out of the tree before
it is returned, so that nothing after this file can store or log them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from lxml import etree

from rooftree.core.vendor_errors import Misconfigured

MAX_BYTES = 10_000_000
MAX_DEPTH = 60
ELEMENT_NAME = re.compile(r"Element '(?:\{[^}]*\})?([^']+)'")
PRIVATE_NAMES = frozenset({
    "TAXPAYER_IDENTIFIERS", "TaxpayerIdentifierValue", "GOVERNMENT_MONITORING", "DEPENDENTS",
    "BorrowerBirthDate", "BirthDate", "BorrowerAgeAtApplicationYearsCount",
    "AssetAccountIdentifier", "LiabilityAccountIdentifier", "AccountIdentifier",
})  # fmt: skip


class UnreadableMismo(ValueError):
    """The file can't be read. The text gives the reason, without anything of the file."""


def parse_mismo(content: bytes) -> etree._Element:
    """Return the root of a MISMO file, without private elements. Raises `UnreadableMismo`."""
    if len(content) > MAX_BYTES:
        raise UnreadableMismo(f"It is larger than {MAX_BYTES // 1_000_000} MB.")
    _refuse_traps(content)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise UnreadableMismo("It is not well-formed XML.") from None
    if etree.QName(root).localname != "MESSAGE":
        raise UnreadableMismo("It is no MISMO file: its root isn't MESSAGE.")
    private = [
        element
        for element in root.iter(etree.Element)
        if etree.QName(element).localname in PRIVATE_NAMES
    ]
    for element in private:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return root


def _refuse_traps(content: bytes) -> None:
    """Refuse a document type before any of its entities is read, and elements nested too deeply."""
    depth = 0
    scanner = expat.ParserCreate()

    def refuse_doctype(*_: Any) -> None:
        raise UnreadableMismo("It declares a document type, which loan files never need.")

    def enter(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableMismo("Its elements are nested too deeply.")

    def leave(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    scanner.StartDoctypeDeclHandler = refuse_doctype
    scanner.StartElementHandler, scanner.EndElementHandler = enter, leave
    try:
        scanner.Parse(content, True)
    except expat.ExpatError as problem:
        raise UnreadableMismo(f"It is not well-formed XML: line {problem.lineno}.") from None


def load_schema(folder: str | Path) -> etree.XMLSchema:
    """Load the MISMO schema from the lender's own copy: its license forbids us to ship one.

    A wrapper (DU or ULAD, which import the MISMO file beside them) goes before the bare file.
    Raises `Misconfigured`.
    """
    files = sorted(Path(folder).glob("*.xsd")) if Path(folder).is_dir() else []
    wrappers = [path for path in files if "wrapper" in path.name.casefold()]
    bare = [path for path in files if path.name.casefold().startswith("mismo")]
    if not (wrappers or bare):
        raise Misconfigured("The schema folder has no MISMO schema (MISMO*.xsd).")
    try:
        return etree.XMLSchema(etree.parse(str((wrappers or bare)[0])))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError):
        name = (wrappers or bare)[0].name
        raise Misconfigured(f"The schema {name} can't be loaded. Is the set complete?") from None


def find_schema_errors(document: str, schema: etree.XMLSchema) -> Iterator[str]:
    """Yield what the schema refuses in a document that we wrote: line and element, no values."""
    if schema.validate(etree.fromstring(document.encode())):
        return
    for error in schema.error_log:  # type: ignore[attr-defined]
        element = ELEMENT_NAME.match(error.message)  # the rest of a message can quote a value
        yield f"line {error.line}: {element[1] if element else 'the document'} ({error.type_name})"

"""A MISMO 3.4 document, rendered from a tree of containers in the schema's order of names."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

MISMO_NAMESPACE = "http://www.mismo.org/residential/2009/schemas"
ULAD_NAMESPACE = "http://www.datamodelextension.org/Schema/ULAD"
XLINK_NAMESPACE = "http://www.w3.org/1999/xlink"
NAMESPACES = {
    None: MISMO_NAMESPACE,
    "xlink": XLINK_NAMESPACE,
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "ULAD": ULAD_NAMESPACE,
}
INVALID_XML_CHARS = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
REFERENCE_MODEL = "3.4.032420160128"
LABEL_ATTRIBUTE = f"{{{XLINK_NAMESPACE}}}label"
ULAD_ELEMENTS = frozenset({"LANGUAGE_EXTENSION", "LanguageRefusalIndicator"})
ALIASES = {"SUBJECT_PROPERTY": "PROPERTY"}
LABELED_CONTAINERS = {"COLLATERAL": "COLLATERAL", "LOAN": "LOAN"}
ROLE_LABELS = (
    ("BORROWER", "BORROWER"),
    ("LOAN_ORIGINATOR", "LOAN_ORIGINATOR"),
    ("LICENSES", "LOAN_ORIGINATION_COMPANY"),
)


def render_document(tree: Mapping[str, Any]) -> str:
    """Render the document. The same tree gives the same text, byte for byte."""
    root = etree.Element(f"{{{MISMO_NAMESPACE}}}MESSAGE", nsmap=NAMESPACES)  # type: ignore[arg-type]
    root.set("MISMOReferenceModelIdentifier", REFERENCE_MODEL)
    counts: dict[str, int] = {}
    _fill_element(root, "MESSAGE", tree, counts)
    etree.indent(root)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document.decode()


def find_misplaced(root: etree._Element) -> Iterator[str]:
    """Find names outside the schema's order; importers reject such a document."""
    for parent in root.iter(f"{{{MISMO_NAMESPACE}}}*"):
        name = etree.QName(parent).localname
        order = _load_child_order().get(ALIASES.get(name, name))
        if not order:
            continue
        children = [etree.QName(element) for element in parent.iterchildren(etree.Element)]
        names = [child.localname for child in children if child.namespace == MISMO_NAMESPACE]
        for child in names:
            if child not in order:
                yield f"{child} does not belong in {name}"
        places = [order.index(child) for child in names if child in order]
        if places != sorted(places):
            yield f"the parts of {name} are out of order"


@cache
def _load_child_order() -> Mapping[str, list[str]]:
    text = (Path(__file__).parent / "data" / "mismo34_child_order.json").read_text("utf-8")
    loaded: Mapping[str, list[str]] = json.loads(text)
    return loaded


def _fill_element(
    parent: etree._Element, name: str, tree: Mapping[str, Any], counts: dict[str, int]
) -> None:
    order = _load_child_order().get(ALIASES.get(name, name), [])
    place = {child: position for position, child in enumerate(order)}
    for child in sorted(tree, key=lambda child: (place.get(child, len(order)), child)):
        values = tree[child] if isinstance(tree[child], list) else [tree[child]]
        for number, value in enumerate(values, start=1):
            space = ULAD_NAMESPACE if child in ULAD_ELEMENTS else MISMO_NAMESPACE
            element = etree.SubElement(parent, f"{{{space}}}{child}")
            _set_attributes(element, child, value, number, counts)
            if isinstance(value, Mapping):
                _fill_element(element, child, value, counts)
            else:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                element.text = INVALID_XML_CHARS.sub("", text)


def _set_attributes(
    element: etree._Element, name: str, value: Any, number: int, counts: dict[str, int]
) -> None:
    """Set the attributes a container carries: its number, its role, its label."""
    label = LABELED_CONTAINERS.get(name, "")
    if name == "LOAN":
        element.set("LoanRoleType", "SubjectLoan")
    if name in {"PARTY", "ROLE"}:
        element.set("SequenceNumber", str(number))
    if name == "ROLE":
        label = next((label for child, label in ROLE_LABELS if child in value), "")
    if label:
        counts[label] = counts.get(label, 0) + 1
        element.set(LABEL_ATTRIBUTE, f"{label}_{counts[label]}")

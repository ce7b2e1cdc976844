"""A MISMO 3.4 document from a tree of containers: names in the schema's order."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

MISMO = "http://www.mismo.org/residential/2009/schemas"
ULAD = "http://www.datamodelextension.org/Schema/ULAD"
XLINK = "http://www.w3.org/1999/xlink"
NAMESPACES = {
    None: MISMO,
    "xlink": XLINK,
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "ULAD": ULAD,
}
NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
MODEL = "3.4.032420160128"
LABEL = f"{{{XLINK}}}label"
IN_ULAD = frozenset({"LANGUAGE_EXTENSION", "LanguageRefusalIndicator"})
ALIASES = {"SUBJECT_PROPERTY": "PROPERTY"}
LABELLED = {"COLLATERAL": "COLLATERAL", "LOAN": "LOAN"}
ROLES = (
    ("BORROWER", "BORROWER"),
    ("LOAN_ORIGINATOR", "LOAN_ORIGINATOR"),
    ("LICENSES", "LOAN_ORIGINATION_COMPANY"),
)


def document(tree: Mapping[str, Any]) -> str:
    """The document. The same tree gives the same text, byte for byte."""
    root = etree.Element(f"{{{MISMO}}}MESSAGE", nsmap=NAMESPACES)  # type: ignore[arg-type]
    root.set("MISMOReferenceModelIdentifier", MODEL)
    counts: dict[str, int] = {}
    _fill(root, "MESSAGE", tree, counts)
    etree.indent(root)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made.decode()


def misplaced(root: etree._Element) -> Iterator[str]:
    """Where a document leaves the schema's order of names, which importers refuse."""
    for parent in root.iter(f"{{{MISMO}}}*"):
        name = etree.QName(parent).localname
        order = _order().get(ALIASES.get(name, name))
        if not order:
            continue
        children = [etree.QName(one) for one in parent.iterchildren(etree.Element)]
        names = [one.localname for one in children if one.namespace == MISMO]
        for child in names:
            if child not in order:
                yield f"{child} does not belong in {name}"
        places = [order.index(child) for child in names if child in order]
        if places != sorted(places):
            yield f"the parts of {name} are out of order"


@cache
def _order() -> Mapping[str, list[str]]:
    text = (Path(__file__).parent / "data" / "mismo34_child_order.json").read_text("utf-8")
    loaded: Mapping[str, list[str]] = json.loads(text)
    return loaded


def _fill(
    parent: etree._Element, name: str, tree: Mapping[str, Any], counts: dict[str, int]
) -> None:
    order = _order().get(ALIASES.get(name, name), [])
    place = {child: position for position, child in enumerate(order)}
    for child in sorted(tree, key=lambda one: (place.get(one, len(order)), one)):
        values = tree[child] if isinstance(tree[child], list) else [tree[child]]
        for number, value in enumerate(values, start=1):
            space = ULAD if child in IN_ULAD else MISMO
            element = etree.SubElement(parent, f"{{{space}}}{child}")
            _mark(element, child, value, number, counts)
            if isinstance(value, Mapping):
                _fill(element, child, value, counts)
            else:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                element.text = NOT_IN_XML.sub("", text)


def _mark(
    element: etree._Element, name: str, value: Any, number: int, counts: dict[str, int]
) -> None:
    """The attributes a container carries: its number, its role, its label."""
    label = LABELLED.get(name, "")
    if name == "LOAN":
        element.set("LoanRoleType", "SubjectLoan")
    if name in {"PARTY", "ROLE"}:
        element.set("SequenceNumber", str(number))
    if name == "ROLE":
        label = next((label for child, label in ROLES if child in value), "")
    if label:
        counts[label] = counts.get(label, 0) + 1
        element.set(LABEL, f"{label}_{counts[label]}")

"""The files of a go-live check, recognized by their content; nothing in them is trusted."""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from rooftree.los.mismo_document import LABEL_ATTRIBUTE, MISMO_NAMESPACE, find_misplaced

MAPPING_KEYS = frozenset(
    {"codes", "statuses", "field", "reads", "lengths", "main", "places", "required"}
)
STATUS_COLUMNS = ("status", "milestone", "name", "code")
USER_COLUMNS = ("los_user", "user", "username", "user name", "login", "user id", "userid")


class UnrecognizedFile(ValueError):
    """The file is of no kind that a check reads. The text gives the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LosUser:
    """A user of the LOS."""

    nmls_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Originator:
    """A loan originator named in a MISMO file."""

    name: str
    nmls_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFile:
    """The content of one file; most kinds fill one field."""

    name: str
    kind: str  # mapping, statuses, users, handoff, mismo, request
    mapping: Mapping[str, Any] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    users: tuple[LosUser, ...] = ()
    data: Any = None  # a hand-off, or the body of a request
    values: tuple[tuple[str, str], ...] = ()  # place or element: its text
    originators: tuple[Originator, ...] = ()
    faults: tuple[str, ...] = ()  # reasons an importer would reject the file


def parse_check_file(name: str, content: bytes) -> CheckFile:
    """Recognize and parse a file. Raises `UnrecognizedFile`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnrecognizedFile("it is not UTF-8 text") from None
    if not text.strip():
        raise UnrecognizedFile("it is empty")
    if any(char < " " and char not in "\t\r\n" for char in text):
        raise UnrecognizedFile("it is not text")
    if text.lstrip().startswith("<"):
        return _parse_xml(name, content)
    if text.lstrip()[0] in "{[":
        return _parse_json(name, text)
    if name.endswith(".toml"):
        try:
            return CheckFile(name=name, kind="mapping", mapping=tomllib.loads(text))
        except ValueError as problem:
            raise UnrecognizedFile(f"it is not TOML: {problem}") from None
    return _parse_lines(name, text)


def _parse_json(name: str, text: str) -> CheckFile:
    try:
        data = json.loads(text)
    except ValueError:
        raise UnrecognizedFile("it is not JSON") from None
    if isinstance(data, list):
        return _parse_list(name, data)
    if "canonical" in data and "connection" in data:
        return CheckFile(name=name, kind="handoff", data=data)
    rows = data.get("milestones") if isinstance(data.get("milestones"), list) else None
    if rows is None and isinstance(data.get("statuses"), list):
        rows = data["statuses"]
    if rows is not None:
        return _parse_list(name, rows)
    if MAPPING_KEYS & data.keys():
        return CheckFile(name=name, kind="mapping", mapping=data)
    return CheckFile(name=name, kind="request", data=data, values=tuple(iter_leaves(data)))


def _parse_list(name: str, rows: Sequence[Any]) -> CheckFile:
    if rows and all(isinstance(row, Mapping) for row in rows):
        return _parse_table(name, [{str(k).casefold(): v for k, v in row.items()} for row in rows])
    if not rows or not all(isinstance(row, str | int) for row in rows):
        raise UnrecognizedFile("it is not a list of statuses or users")
    return CheckFile(name=name, kind="statuses", statuses=tuple(str(row) for row in rows))


def _parse_lines(name: str, text: str) -> CheckFile:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    columns = [column.strip().casefold() for column in next(csv.reader(lines[:1]))]
    if len(columns) > 1 and (set(columns) & set(STATUS_COLUMNS) or _nmls_column(columns)):
        rows = list(csv.reader(io.StringIO(text.strip())))[1:]
        return _parse_table(name, [dict(zip(columns, row, strict=False)) for row in rows])
    if columns == ["status"] or columns == ["milestone"]:
        lines = lines[1:]
    statuses = tuple(line for line in lines if not line.startswith("#"))
    return CheckFile(name=name, kind="statuses", statuses=statuses)


def _parse_table(name: str, rows: Sequence[Mapping[str, Any]]) -> CheckFile:
    key = _nmls_column(rows[0]) if rows else ""
    if key:
        users = [
            LosUser(nmls_id=_only_digits(row.get(key)), name=_first_value(row, USER_COLUMNS))
            for row in rows
        ]
        return CheckFile(name=name, kind="users", users=tuple(users))
    statuses = tuple(filter(None, (_first_value(row, STATUS_COLUMNS) for row in rows)))
    if not statuses:
        raise UnrecognizedFile("it has neither a status column nor an NMLS ID column")
    return CheckFile(name=name, kind="statuses", statuses=statuses)


def _nmls_column(columns: Iterable[str]) -> str:
    return next((column for column in columns if "nmls" in column), "")


def _first_value(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return next(
        (str(row[column]).strip() for column in columns if row.get(column) not in (None, "")), ""
    )


def _only_digits(value: object) -> str:
    return "".join(char for char in str(value or "") if char.isdigit())


def iter_leaves(tree: Any, place: str = "") -> Iterable[tuple[str, str]]:
    """Yield every value of a JSON tree with its place, written as the mappings write it."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from iter_leaves(value, f"{place}.{name}" if place else str(name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from iter_leaves(value, f"{place}[{number}]")
    elif tree is not None:
        yield place, str(tree)


def _parse_xml(name: str, content: bytes) -> CheckFile:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root: Any = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as problem:
        raise UnrecognizedFile(f"it is not well-formed XML: {problem}") from None
    if root.getroottree().docinfo.doctype:
        raise UnrecognizedFile("it declares a document type, which LOS files never need")
    values = [
        (str(element.get("id") or etree.QName(element).localname), element.text.strip())
        for element in root.iter(etree.Element)
        if len(element) == 0 and element.text and element.text.strip()
    ]
    if etree.QName(root).localname != "MESSAGE":
        statuses = tuple(text for place, text in values if place == "sStatusT")
        return CheckFile(name=name, kind="request", values=tuple(values), statuses=statuses)
    return CheckFile(
        name=name,
        kind="mismo",
        values=tuple(values),
        originators=tuple(_find_originators(root)),
        faults=tuple(_find_mismo_faults(root)),
    )


def _find_originators(root: Any) -> Iterable[Originator]:
    for party in root.iter(f"{{{MISMO_NAMESPACE}}}PARTY"):
        if party.find(f".//{{{MISMO_NAMESPACE}}}LOAN_ORIGINATOR") is None:
            continue
        names = [
            party.findtext(f".//{{{MISMO_NAMESPACE}}}{tag}") for tag in ("FirstName", "LastName")
        ]
        nmls_id = party.findtext(f".//{{{MISMO_NAMESPACE}}}LicenseIdentifier") or ""
        yield Originator(name=" ".join(filter(None, names)), nmls_id=_only_digits(nmls_id))


def _find_mismo_faults(root: Any) -> Iterable[str]:
    """Check a document against the rules of MISMO 3.4 importers."""
    if etree.QName(root).namespace != MISMO_NAMESPACE:
        yield f"the namespace is {etree.QName(root).namespace or 'missing'}, not {MISMO_NAMESPACE}"
        return
    borrower = f".//{{{MISMO_NAMESPACE}}}BORROWER"
    parties = [
        party
        for party in root.iter(f"{{{MISMO_NAMESPACE}}}PARTY")
        if party.find(borrower) is not None
    ]
    if not parties:
        yield "no party is a borrower"
    if any(not party.findtext(f".//{{{MISMO_NAMESPACE}}}LastName") for party in parties):
        yield "a borrower has no last name"
    labels = [
        label for element in root.iter(etree.Element) if (label := element.get(LABEL_ATTRIBUTE))
    ]
    if len(labels) != len(set(labels)):
        yield "an xlink:label is used twice"
    yield from dict.fromkeys(find_misplaced(root))

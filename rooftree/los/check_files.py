"""The files of a go-live check, told apart by what they hold: nothing in them is trusted."""

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from rooftree.los.mismo import LABEL, MISMO, misplaced

MAPPING_PARTS = frozenset(
    {"codes", "statuses", "field", "reads", "lengths", "main", "places", "required"}
)
STATUS_COLUMNS = ("status", "milestone", "name", "code")
USER_COLUMNS = ("los_user", "user", "username", "user name", "login", "user id", "userid")


class Unrecognized(ValueError):
    """The file is none that a check can read. The text says what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in to the LOS."""

    nmls_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A loan originator whom a MISMO file names."""

    name: str
    nmls_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one file holds; of most kinds there is one filled."""

    name: str
    kind: str  # mapping, statuses, users, handoff, mismo, request
    mapping: Mapping[str, Any] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    users: tuple[User, ...] = ()
    data: Any = None  # a hand-off, or the body of a request
    values: tuple[tuple[str, str], ...] = ()  # place or element: its text
    originators: tuple[Party, ...] = ()
    faults: tuple[str, ...] = ()  # what makes the file no good


def recognize(name: str, content: bytes) -> Found:
    """What a file is. Raises `Unrecognized`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unrecognized("it is not UTF-8 text") from None
    if not text.strip():
        raise Unrecognized("it is empty")
    if any(sign < " " and sign not in "\t\r\n" for sign in text):
        raise Unrecognized("it is not text")
    if text.lstrip().startswith("<"):
        return _xml(name, content)
    if text.lstrip()[0] in "{[":
        return _json(name, text)
    if name.endswith(".toml"):
        return _toml(name, text)
    return _lines(name, text)


def _toml(name: str, text: str) -> Found:
    try:
        return Found(name=name, kind="mapping", mapping=tomllib.loads(text))
    except ValueError as problem:
        raise Unrecognized(f"it is not TOML: {problem}") from None


def _json(name: str, text: str) -> Found:
    try:
        data = json.loads(text)
    except ValueError:
        raise Unrecognized("it is not JSON") from None
    if isinstance(data, list):
        return _listed(name, data)
    if "canonical" in data and "connection" in data:
        return Found(name=name, kind="handoff", data=data)
    listed = data.get("milestones") if isinstance(data.get("milestones"), list) else None
    if listed is None and isinstance(data.get("statuses"), list):
        listed = data["statuses"]
    if listed is not None:
        return _listed(name, listed)
    if MAPPING_PARTS & data.keys():
        return Found(name=name, kind="mapping", mapping=data)
    return Found(name=name, kind="request", data=data, values=tuple(leaves(data)))


def _listed(name: str, rows: Sequence[Any]) -> Found:
    if rows and all(isinstance(one, Mapping) for one in rows):
        return _table(name, [{str(k).casefold(): v for k, v in one.items()} for one in rows])
    if not rows or not all(isinstance(one, str | int) for one in rows):
        raise Unrecognized("it is no list of statuses or of users")
    return Found(name=name, kind="statuses", statuses=tuple(str(one) for one in rows))


def _lines(name: str, text: str) -> Found:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    columns = [one.strip().casefold() for one in next(csv.reader(lines[:1]))]
    if len(columns) > 1 and (set(columns) & set(STATUS_COLUMNS) or _nmls(columns)):
        rows = list(csv.reader(io.StringIO(text.strip())))[1:]
        return _table(name, [dict(zip(columns, row, strict=False)) for row in rows])
    if columns == ["status"] or columns == ["milestone"]:
        lines = lines[1:]
    said = tuple(line for line in lines if not line.startswith("#"))
    return Found(name=name, kind="statuses", statuses=said)


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Found:
    key = _nmls(rows[0]) if rows else ""
    if key:
        users = [User(nmls_id=_digits(row.get(key)), name=_one(row, USER_COLUMNS)) for row in rows]
        return Found(name=name, kind="users", users=tuple(users))
    said = tuple(filter(None, (_one(row, STATUS_COLUMNS) for row in rows)))
    if not said:
        raise Unrecognized("it has no column of statuses and none of NMLS ids")
    return Found(name=name, kind="statuses", statuses=said)


def _nmls(columns: Iterable[str]) -> str:
    return next((one for one in columns if "nmls" in one), "")


def _one(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return next((str(row[one]).strip() for one in columns if row.get(one) not in (None, "")), "")


def _digits(value: object) -> str:
    return "".join(sign for sign in str(value or "") if sign.isdigit())


def leaves(tree: Any, place: str = "") -> Iterable[tuple[str, str]]:
    """Every value of a JSON tree with its place, written as the mappings write it."""
    if isinstance(tree, Mapping):
        for name, held in tree.items():
            yield from leaves(held, f"{place}.{name}" if place else str(name))
    elif isinstance(tree, list):
        for number, held in enumerate(tree):
            yield from leaves(held, f"{place}[{number}]")
    elif tree is not None:
        yield place, str(tree)


def _xml(name: str, content: bytes) -> Found:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root: Any = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as problem:
        raise Unrecognized(f"it is not well-formed XML: {problem}") from None
    if root.getroottree().docinfo.doctype:
        raise Unrecognized("it declares a document type, which no LOS file needs")
    values = [
        (str(one.get("id") or etree.QName(one).localname), one.text.strip())
        for one in root.iter(etree.Element)
        if len(one) == 0 and one.text and one.text.strip()
    ]
    if etree.QName(root).localname != "MESSAGE":
        statuses = tuple(text for place, text in values if place == "sStatusT")
        return Found(name=name, kind="request", values=tuple(values), statuses=statuses)
    return Found(
        name=name,
        kind="mismo",
        values=tuple(values),
        originators=tuple(_originators(root)),
        faults=tuple(_faults(root)),
    )


def _originators(root: Any) -> Iterable[Party]:
    for party in root.iter(f"{{{MISMO}}}PARTY"):
        if party.find(f".//{{{MISMO}}}LOAN_ORIGINATOR") is None:
            continue
        names = [party.findtext(f".//{{{MISMO}}}{one}") for one in ("FirstName", "LastName")]
        nmls_id = party.findtext(f".//{{{MISMO}}}LicenseIdentifier") or ""
        yield Party(name=" ".join(filter(None, names)), nmls_id=_digits(nmls_id))


def _faults(root: Any) -> Iterable[str]:
    """Against what importers of MISMO 3.4 insist on."""
    if etree.QName(root).namespace != MISMO:
        yield f"the namespace is {etree.QName(root).namespace or 'missing'}, not {MISMO}"
        return
    borrower = f".//{{{MISMO}}}BORROWER"
    parties = [one for one in root.iter(f"{{{MISMO}}}PARTY") if one.find(borrower) is not None]
    if not parties:
        yield "no party is a borrower"
    if any(not one.findtext(f".//{{{MISMO}}}LastName") for one in parties):
        yield "a borrower has no last name"
    labels = [one.get(LABEL) for one in root.iter(etree.Element) if one.get(LABEL)]
    if len(labels) != len(set(labels)):
        yield "an xlink:label is used twice"
    yield from dict.fromkeys(misplaced(root))

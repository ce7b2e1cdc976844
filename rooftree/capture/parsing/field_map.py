"""A field map: which of our fields is filled from where in a delivery, and how it is read.

Staff edit it in a page. It is data: applying it looks values up and nothing more.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.reading_notes import Fields, ReadingNotes, as_text
from rooftree.capture.parsing.target_fields import TARGET_FIELDS, FieldKind, guess_fields
from rooftree.capture.parsing.value_formats import CONVERSIONS, convert_value
from rooftree.capture.parsing.value_paths import (
    BadPath,
    Steps,
    find_value,
    format_path,
    list_leaves,
    parse_path,
)
from rooftree.compliance.credit import notice_rules

MAX_LINES = 120
MAX_WORDS = 100  # of one line
MAX_WORD_LENGTH = 200
MAX_CONSTANT_LENGTH = 5_000
# What may only be said by the delivery itself, never by the map for everybody.
NEVER_CONSTANT = frozenset({"consent_checked", "consent_at", "certificate_url", "leadid_token"})

APPLICATION_PIECES = {  # of an application (12 CFR 1026.2(a)(3)(ii)), by the fields that give them
    "name": ({"name"}, {"first_name", "last_name"}),
    "income": ({"annual_income"},),
    "property_address": ({"property_address"},),
    "value_estimate": ({"property_value"}, {"purchase_price"}),
    "loan_amount": ({"loan_amount"},),
}
SSN_NAMES = ("ssn", "socialsec", "itin", "taxid", "taxpayerid")


class BadMap(Exception):
    """The map cannot be used. `problems` are sentences fit to show."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLine:
    """One of our fields, and where it comes from. Of several for one field the first with a value
    counts."""

    field: str  # a key of TARGETS
    path: str = ""  # "" where the constant is meant
    constant: str = ""
    convert: str = ""  # a key of CONVERSIONS for the field's kind
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)  # theirs, ours
    is_required: bool = False

    def to_json(self) -> dict[str, Any]:
        """The line as it is stored, without what it leaves open."""
        said = {
            "field": self.field,
            "path": self.path,
            "constant": self.constant,
            "convert": self.convert,
            "words": dict(self.words),
            "is_required": self.is_required,
        }
        return {name: part for name, part in said.items() if part}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReading:
    """What a map made of one delivery."""

    fields: Fields
    found: tuple[tuple[MapLine, Any], ...]  # what each line gave
    missing: tuple[str, ...]  # required fields without a value
    unread: tuple[tuple[str, Any], ...]  # paths nobody asked for, with their values


def parse_map_table(text: str) -> tuple[MapLine, ...]:
    """They are a vendor's lines, one of our fields a row: `credit | CRED_GRADE grade | 1=good`.

    Its names in the order in which they count, then a conversion or its words for ours.
    A word that ours has nothing for ("1=") is as good as nothing said.
    """
    return tuple(
        line for row in filter(str.strip, text.splitlines()) for line in _parse_table_row(row)
    )


def _parse_table_row(row: str) -> Iterable[MapLine]:
    field, paths, said = [part.strip() for part in f"{row} | |".split("|")[:3]]
    pairs = [word.partition("=") for word in said.split() if "=" in word]
    for path in paths.split():
        yield MapLine(
            field=field,
            path=path,
            convert="" if pairs else said,
            words={theirs: ours for theirs, _, ours in pairs},
        )


def parse_map_lines(stored: Any) -> tuple[MapLine, ...]:
    """They are the lines as stored. Never raises: what is no line is left out."""
    rows = stored if isinstance(stored, list) else []
    return tuple(_parse_stored_line(row) for row in rows[:MAX_LINES] if isinstance(row, Mapping))


def _parse_stored_line(row: Mapping[str, Any]) -> MapLine:
    words = row.get("words")
    return MapLine(
        field=str(row.get("field", "")),
        path=str(row.get("path", "")),
        constant=str(row.get("constant", "")),
        convert=str(row.get("convert", "")),
        words={str(ours): str(theirs) for ours, theirs in words.items()}
        if isinstance(words, Mapping)
        else {},
        is_required=row.get("is_required") is True,
    )


def check_map(lines: Iterable[MapLine], *, beside: Iterable[str] = ()) -> None:
    """Raises `BadMap` with a sentence for everything that is wrong.

    Args:
        beside: fields that are filled without the map.
    """
    listed = list(lines)
    problems = [said for line in listed for said in _line_problems(line)]
    if len(listed) > MAX_LINES:
        problems.append(f"A map has at most {MAX_LINES} lines.")
    filled = {line.field for line in listed} | set(beside)
    if not filled & {"first_name", "last_name", "name"}:
        problems.append("Nothing gives a name: fill Full name, or First and Last name.")
    if not filled & {"phone", "mobile", "home_phone", "work_phone", "email"}:
        problems.append("Nothing gives a way to reach anybody: fill a phone or the e-mail.")
    if "consent_checked" in filled and "consent_text" not in filled:
        problems.append(
            "A yes counts only with its wording: fill “The exact words shown”, or take the yes out."
        )
    if _asks_for_all_six(listed, filled):
        problems.append(
            "With a social security number these fields are all six pieces of an application. "
            "A lead form stops at five: have the vendor take the number out, and its line."
        )
    if problems:
        raise BadMap(dict.fromkeys(problems))


def _asks_for_all_six(lines: Iterable[MapLine], filled: set[str]) -> bool:
    """TRI-01. The number has no field of ours: a line that reads one's place gives it away."""
    held = {
        item
        for item, fields in APPLICATION_PIECES.items()
        if any(field <= filled for field in fields)
    }
    names = {squash_word(line.path.rpartition(".")[2]) for line in lines if line.path}
    if any(name.startswith(SSN_NAMES) for name in names):
        held.add("ssn")
    ruling = notice_rules.check_six_items(frozenset(held), on=None, is_lead_form=True)
    return ruling.reason == "six_items_outside_los"


def _line_problems(line: MapLine) -> list[str]:
    target = TARGET_FIELDS.get(line.field)
    if target is None:
        return [f"{line.field or 'A line'} is none of our fields."]
    said = []
    if bool(line.path) == bool(line.constant):
        said.append(f"{target.label}: say where it stands, or what it always is; one of the two.")
    if line.constant and line.field in NEVER_CONSTANT:
        said.append(f"{target.label}: only the delivery can say this, never the map for everybody.")
    if len(line.constant) > MAX_CONSTANT_LENGTH:
        said.append(f"{target.label}: at most {MAX_CONSTANT_LENGTH} characters.")
    if line.path and (wrong := _path_problem(line.path)):
        said.append(f"{target.label}: {wrong}")
    if line.convert and line.convert not in CONVERSIONS.get(target.kind, {}):
        said.append(f"{target.label} cannot be converted so.")
    if _has_too_many_words(line.words):
        said.append(
            f"{target.label}: at most {MAX_WORDS} words, of {MAX_WORD_LENGTH} letters each."
        )
    return said


def _path_problem(path: str) -> str:
    try:
        parse_path(path)
    except BadPath as bad:
        return str(bad)
    return ""


def _has_too_many_words(words: Mapping[str, str]) -> bool:
    too_long = any(len(part) > MAX_WORD_LENGTH for pair in words.items() for part in pair)
    return len(words) > MAX_WORDS or too_long


def guess_map_lines(tree: Any) -> tuple[MapLine, ...]:
    """They are lines for every place of a delivery whose name tells what stands there."""
    return tuple(
        MapLine(field=key, path=format_path(steps))
        for steps, key in guess_fields([steps for steps, _ in list_leaves(tree)]).items()
    )


def apply_map(tree: Any, lines: Iterable[MapLine], notes: ReadingNotes) -> MapReading:
    """It is what the lines find in a delivery. Never raises."""
    fields: dict[str, Any] = {}
    found: list[tuple[MapLine, Any]] = []
    places: list[Steps] = []
    required: dict[str, None] = {}
    for line in lines:
        if line.field not in TARGET_FIELDS:
            continue
        if line.is_required:
            required[line.field] = None
        place, value = _read_line_value(tree, line, notes)
        if place:
            places.append(place)
        found.append((line, value))
        if as_text(value).strip() and not as_text(fields.get(line.field)).strip():
            fields[line.field] = value
            notes.theirs[line.field] = format_path(place) if place else line.field
    return MapReading(
        fields=Fields(fields),
        found=tuple(found),
        missing=tuple(key for key in required if not as_text(fields.get(key)).strip()),
        unread=tuple(_unread_values(tree, places)),
    )


def _read_line_value(tree: Any, line: MapLine, notes: ReadingNotes) -> tuple[Steps, Any]:
    if line.constant:
        return (), line.constant
    place, value = find_value(tree, line.path)
    if line.words:
        theirs = {squash_word(word) or word.strip(): ours for word, ours in line.words.items()}
        text = as_text(value)
        value = theirs.get(squash_word(text) or text.strip(), value)
    kind = TARGET_FIELDS[line.field].kind
    value = convert_value(value, line.convert, kind, field=line.field, notes=notes)
    return place, value if as_text(value) or kind is not FieldKind.TEXT else as_text(value)


def _unread_values(tree: Any, places: list[Steps]) -> Iterable[tuple[str, Any]]:
    taken = set(places)
    for steps, value in list_leaves(tree):
        if not any(steps[:length] in taken for length in range(1, len(steps) + 1)):
            yield format_path(steps), value

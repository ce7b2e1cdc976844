"""Field maps: which path of a delivery fills each of our fields, and how the value is converted.

Staff edit a map on a page. A map is data: applying it only looks values up.
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
# Consent evidence must come from each delivery, never from a constant in the map.
NEVER_CONSTANT = frozenset({"consent_checked", "consent_at", "certificate_url", "leadid_token"})

# The pieces of an application (12 CFR 1026.2(a)(3)(ii)), with the fields that give each.
APPLICATION_PIECES = {
    "name": ({"name"}, {"first_name", "last_name"}),
    "income": ({"annual_income"},),
    "property_address": ({"property_address"},),
    "value_estimate": ({"property_value"}, {"purchase_price"}),
    "loan_amount": ({"loan_amount"},),
}
SSN_NAMES = ("ssn", "socialsec", "itin", "taxid", "taxpayerid")


class BadMap(Exception):
    """The map is invalid. `problems` are sentences to show to staff."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLine:
    """One of our fields and its source; of several lines for a field the first value wins."""

    field: str  # a key of TARGET_FIELDS
    path: str = ""  # "" when `constant` is used
    constant: str = ""
    convert: str = ""  # a key of CONVERSIONS for the field's kind
    # the vendor's word: our word
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_required: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the line as stored, without empty parts."""
        parts = {
            "field": self.field,
            "path": self.path,
            "constant": self.constant,
            "convert": self.convert,
            "words": dict(self.words),
            "is_required": self.is_required,
        }
        return {name: part for name, part in parts.items() if part}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReading:
    """The result of applying a map to one delivery."""

    fields: Fields
    line_values: tuple[tuple[MapLine, Any], ...]  # each line with its value
    missing_fields: tuple[str, ...]  # required fields without a value
    unread_values: tuple[tuple[str, Any], ...]  # paths that no line reads, with their values


def parse_map_table(text: str) -> tuple[MapLine, ...]:
    """Parse a vendor's table, one of our fields per row: `credit | CRED_GRADE grade | 1=good`.

    A row lists the vendor's names in order of priority, then a conversion or the word pairs
    (vendor's word = our word). A word paired with nothing ("1=") counts as no answer.
    """
    return tuple(
        line for row in filter(str.strip, text.splitlines()) for line in _parse_table_row(row)
    )


def _parse_table_row(row: str) -> Iterable[MapLine]:
    field, paths, extra = [part.strip() for part in f"{row} | |".split("|")[:3]]
    pairs = [word.partition("=") for word in extra.split() if "=" in word]
    for path in paths.split():
        yield MapLine(
            field=field,
            path=path,
            convert="" if pairs else extra,
            words={vendor_word: our_word for vendor_word, _, our_word in pairs},
        )


def parse_map_lines(stored: Any) -> tuple[MapLine, ...]:
    """Parse stored lines. Never raises: an entry that is not a line is skipped."""
    rows = stored if isinstance(stored, list) else []
    return tuple(_parse_stored_line(row) for row in rows[:MAX_LINES] if isinstance(row, Mapping))


def _parse_stored_line(row: Mapping[str, Any]) -> MapLine:
    words = row.get("words")
    return MapLine(
        field=str(row.get("field", "")),
        path=str(row.get("path", "")),
        constant=str(row.get("constant", "")),
        convert=str(row.get("convert", "")),
        words={str(vendor_word): str(our_word) for vendor_word, our_word in words.items()}
        if isinstance(words, Mapping)
        else {},
        is_required=row.get("is_required") is True,
    )


def check_map(lines: Iterable[MapLine], *, filled_elsewhere: Iterable[str] = ()) -> None:
    """Check a map; raise `BadMap` with one sentence per problem.

    Args:
        beside: fields that are filled without the map.
    """
    map_lines = list(lines)
    problems = [problem for line in map_lines for problem in _line_problems(line)]
    if len(map_lines) > MAX_LINES:
        problems.append(f"A map can have at most {MAX_LINES} lines.")
    filled = {line.field for line in map_lines} | set(filled_elsewhere)
    if not filled & {"first_name", "last_name", "name"}:
        problems.append("The map has no name. Add Full name, or First name and Last name.")
    if not filled & {"phone", "mobile", "home_phone", "work_phone", "email"}:
        problems.append("The map has no contact information. Add a phone or an email.")
    if "consent_checked" in filled and "consent_text" not in filled:
        problems.append(
            "Consent given needs its wording. Add Consent wording, or remove Consent given."
        )
    if _asks_for_all_six(map_lines, filled):
        problems.append(
            "With a Social Security number, these fields are all six pieces of an application. "
            "A lead form must stop at five. Ask the vendor to drop the number, and remove its line."
        )
    if problems:
        raise BadMap(dict.fromkeys(problems))


def _asks_for_all_six(lines: Iterable[MapLine], filled: set[str]) -> bool:
    """Tell whether the map asks for all six pieces (TRI-01); an SSN shows only in path names."""
    items_asked = {
        item
        for item, fields in APPLICATION_PIECES.items()
        if any(field <= filled for field in fields)
    }
    names = {squash_word(line.path.rpartition(".")[2]) for line in lines if line.path}
    if any(name.startswith(SSN_NAMES) for name in names):
        items_asked.add("ssn")
    ruling = notice_rules.check_six_items(frozenset(items_asked), on=None, is_lead_form=True)
    return ruling.reason == "six_items_outside_los"


def _line_problems(line: MapLine) -> list[str]:
    target = TARGET_FIELDS.get(line.field)
    if target is None:
        return [f"{line.field or 'A line'} is not one of our fields."]
    problems = []
    if bool(line.path) == bool(line.constant):
        problems.append(f"{target.label}: enter either a path or a fixed value.")
    if line.constant and line.field in NEVER_CONSTANT:
        problems.append(
            f"{target.label}: this must come from the delivery, not from a fixed value."
        )
    if len(line.constant) > MAX_CONSTANT_LENGTH:
        problems.append(f"{target.label}: use at most {MAX_CONSTANT_LENGTH} characters.")
    if line.path and (path_problem := _path_problem(line.path)):
        problems.append(f"{target.label}: {path_problem}")
    if line.convert and line.convert not in CONVERSIONS.get(target.kind, {}):
        problems.append(f"{target.label}: this conversion doesn't apply.")
    too_long = any(len(part) > MAX_WORD_LENGTH for pair in line.words.items() for part in pair)
    if len(line.words) > MAX_WORDS or too_long:
        problems.append(
            f"{target.label}: use at most {MAX_WORDS} words of {MAX_WORD_LENGTH} characters each."
        )
    return problems


def _path_problem(path: str) -> str:
    try:
        parse_path(path)
    except BadPath as error:
        return str(error)
    return ""


def guess_map_lines(tree: Any) -> tuple[MapLine, ...]:
    """Suggest a line for each place of a delivery whose name matches one of our fields."""
    return tuple(
        MapLine(field=key, path=format_path(steps))
        for steps, key in guess_fields([steps for steps, _ in list_leaves(tree)]).items()
    )


def apply_map(tree: Any, lines: Iterable[MapLine], notes: ReadingNotes) -> MapReading:
    """Look up the value of each line in a delivery. Never raises."""
    fields: dict[str, Any] = {}
    line_values: list[tuple[MapLine, Any]] = []
    read_places: set[Steps] = set()
    required: dict[str, None] = {}
    for line in lines:
        if line.field not in TARGET_FIELDS:
            continue
        if line.is_required:
            required[line.field] = None
        place, value = _read_line_value(tree, line, notes)
        if place:
            read_places.add(place)
        line_values.append((line, value))
        if as_text(value).strip() and not as_text(fields.get(line.field)).strip():
            fields[line.field] = value
            notes.vendor_names[line.field] = format_path(place) if place else line.field
    return MapReading(
        fields=Fields(fields),
        line_values=tuple(line_values),
        missing_fields=tuple(key for key in required if not as_text(fields.get(key)).strip()),
        unread_values=tuple(
            (format_path(steps), value)
            for steps, value in list_leaves(tree)
            if not any(steps[:length] in read_places for length in range(1, len(steps) + 1))
        ),
    )


def _read_line_value(tree: Any, line: MapLine, notes: ReadingNotes) -> tuple[Steps, Any]:
    if line.constant:
        return (), line.constant
    place, value = find_value(tree, line.path)
    if line.words:
        our_words = {
            squash_word(word) or word.strip(): our_word for word, our_word in line.words.items()
        }
        text = as_text(value)
        value = our_words.get(squash_word(text) or text.strip(), value)
    kind = TARGET_FIELDS[line.field].kind
    value = convert_value(value, line.convert, kind, field=line.field, notes=notes)
    return place, value if as_text(value) or kind is not FieldKind.TEXT else as_text(value)

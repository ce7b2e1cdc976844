"""A field map on a page: its lines as rows of controls, and back."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import QueryDict

from rooftree.capture.parsing.field_map import MAX_LINES, MapLine, parse_map_lines
from rooftree.capture.parsing.reading_notes import as_text
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.parsing.value_formats import CONVERSIONS
from rooftree.capture.parsing.value_paths import format_path, list_leaves
from rooftree.web.shared.staff_request import StaffRequest

BLANK_ROWS = 2  # empty rows at the end, for more
GROUP_ABOVE_LINES = 20  # lines that are looked over in one list
MAX_VALUE_LENGTH = 160  # characters of a value
SESSION_KEY = "map_drafts"


def parse_lines(data: QueryDict) -> tuple[MapLine, ...]:
    """The lines of a submitted page; rows without a field are no lines."""
    rows = [_parse_line(data, nth) for nth in range(MAX_LINES + BLANK_ROWS)]
    return tuple(row for row in rows if row.field)


def _parse_line(data: QueryDict, nth: int) -> MapLine:
    return MapLine(
        field=data.get(f"field-{nth}", ""),
        path=data.get(f"path-{nth}", "").strip(),
        constant=data.get(f"constant-{nth}", "").strip(),
        convert=data.get(f"convert-{nth}", ""),
        words=_parse_value_map(data.get(f"words-{nth}", "")),
        is_required=data.get(f"required-{nth}") == "on",
    )


def _parse_value_map(text: str) -> dict[str, str]:
    """`P = purchase; R = refinance`, as theirs and ours."""
    pairs = [part.partition("=") for part in text.replace("\n", ";").split(";")]
    return {theirs.strip(): ours.strip() for theirs, sign, ours in pairs if sign and theirs.strip()}


def group_rows(lines: Sequence[MapLine]) -> list[dict[str, Any]]:
    """The rows in one list; where there are many, those of each group of fields under its name.

    The numbers of the rows stay: of several lines for one field the first counts.
    """
    made: dict[str, list[dict[str, Any]]] = {"": []}
    if len(lines) > GROUP_ABOVE_LINES:
        made = {title: [] for title, _ in field_choices()} | made
    for row in build_rows(lines):
        target = TARGET_FIELDS.get(row["line"].field) if row["line"] else None
        made[target.group if target and len(lines) > GROUP_ABOVE_LINES else ""].append(row)
    return [{"title": title, "rows": some} for title, some in made.items() if some]


def build_rows(lines: Sequence[MapLine]) -> list[dict[str, Any]]:
    """The lines as the page shows them, blank ones after them."""
    filled = [
        {
            "nth": nth,
            "line": line,
            "label": TARGET_FIELDS[line.field].label if line.field in TARGET_FIELDS else line.field,
            "words": "; ".join(f"{theirs} = {ours}" for theirs, ours in line.words.items()),
        }
        for nth, line in enumerate(lines)
    ]
    blank = range(len(lines), min(len(lines) + BLANK_ROWS, MAX_LINES))
    return [*filled, *({"nth": nth, "line": None, "words": ""} for nth in blank)]


def field_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Our fields in their groups, for the list of a row."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for target_field in TARGET_FIELDS.values():
        groups.setdefault(target_field.group, []).append((target_field.key, target_field.label))
    return list(groups.items())


def conversion_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """How a value may be written over there, by what it is."""
    return [
        (kind.value.capitalize(), [(key, said) for key, (said, _) in ways.items()])
        for kind, ways in CONVERSIONS.items()
    ]


def list_values(tree: Any) -> list[tuple[str, str]]:
    """Where something stands in a delivery, and what."""
    return [(format_path(steps), shorten_value(value)) for steps, value in list_leaves(tree)][:200]


def shorten_value(value: Any) -> str:
    """A value as a page shows it."""
    said = as_text(value)
    return said if len(said) <= MAX_VALUE_LENGTH else f"{said[:MAX_VALUE_LENGTH]}…"


def load_draft(request: StaffRequest, source_id: UUID) -> tuple[MapLine, ...] | None:
    """This person's draft of a source's map, when there is one."""
    held = request.session.get(SESSION_KEY, {}).get(str(source_id))
    return None if held is None else parse_map_lines(held)


def save_draft(request: StaffRequest, source_id: UUID, lines: Iterable[MapLine]) -> None:
    """Put the lines into the draft."""
    held = {
        **request.session.get(SESSION_KEY, {}),
        str(source_id): [line.to_json() for line in lines],
    }
    request.session[SESSION_KEY] = dict(list(held.items())[-5:])


def delete_draft(request: StaffRequest, source_id: UUID) -> None:
    """There is no draft any more."""
    held = {
        key: one
        for key, one in request.session.get(SESSION_KEY, {}).items()
        if key != str(source_id)
    }
    request.session[SESSION_KEY] = held

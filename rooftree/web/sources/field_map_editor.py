"""The field map editor: map lines as rows of form controls, and back."""

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

BLANK_ROWS = 2  # empty rows after the filled ones
GROUP_ABOVE_LINES = 20  # longer maps are grouped by field group
MAX_VALUE_LENGTH = 160  # characters of a value shown on the page
MAX_VALUES = 200  # values of a delivery listed for the editor
MAX_DRAFTS = 5  # drafts kept in a session, the latest
SESSION_KEY = "map_drafts"


def parse_lines(data: QueryDict) -> tuple[MapLine, ...]:
    """Read the map lines of a submitted page; skip rows without a field."""
    lines = [_parse_line(data, nth) for nth in range(MAX_LINES + BLANK_ROWS)]
    return tuple(line for line in lines if line.field)


def _parse_line(data: QueryDict, nth: int) -> MapLine:
    pairs = [
        part.partition("=") for part in data.get(f"words-{nth}", "").replace("\n", ";").split(";")
    ]
    return MapLine(
        field=data.get(f"field-{nth}", ""),
        path=data.get(f"path-{nth}", "").strip(),
        constant=data.get(f"constant-{nth}", "").strip(),
        convert=data.get(f"convert-{nth}", ""),
        words={
            source_word.strip(): our_word.strip()
            for source_word, sign, our_word in pairs
            if sign and source_word.strip()
        },
        is_required=data.get(f"required-{nth}") == "on",
    )


def group_rows(lines: Sequence[MapLine]) -> list[dict[str, Any]]:
    """Return the rows in one list, or grouped by field group when there are many.

    Rows keep their numbers: of several lines for one field, the first counts.
    """
    is_grouped = len(lines) > GROUP_ABOVE_LINES
    groups: dict[str, list[dict[str, Any]]] = {"": []}
    if is_grouped:
        groups = {title: [] for title, _ in field_choices()} | groups
    for row in build_rows(lines):
        target = TARGET_FIELDS.get(row["line"].field) if row["line"] else None
        groups[target.group if target and is_grouped else ""].append(row)
    return [{"title": title, "rows": rows} for title, rows in groups.items() if rows]


def build_rows(lines: Sequence[MapLine]) -> list[dict[str, Any]]:
    """Return the lines as rows for the page, followed by blank rows."""
    filled = [
        {
            "nth": nth,
            "line": line,
            "label": TARGET_FIELDS[line.field].label if line.field in TARGET_FIELDS else line.field,
            "words": "; ".join(
                f"{source_word} = {our_word}" for source_word, our_word in line.words.items()
            ),
            "is_open": bool(line.constant or line.convert or line.words or line.is_required),
        }
        for nth, line in enumerate(lines)
    ]
    blank = range(len(lines), min(len(lines) + BLANK_ROWS, MAX_LINES))
    return [*filled, *({"nth": nth, "line": None, "words": ""} for nth in blank)]


def field_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the target fields in their groups, as choices for a row."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for target_field in TARGET_FIELDS.values():
        groups.setdefault(target_field.group, []).append((target_field.key, target_field.label))
    return list(groups.items())


def conversion_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the value formats in groups by type of value, as choices for a row."""
    return [
        (kind.value.capitalize(), [(key, label) for key, (label, _) in formats.items()])
        for kind, formats in CONVERSIONS.items()
    ]


def list_values(tree: Any) -> list[tuple[str, str]]:
    """Return (path, value) of every leaf of a payload, up to MAX_VALUES."""
    return [(format_path(steps), shorten_value(value)) for steps, value in list_leaves(tree)][
        :MAX_VALUES
    ]


def shorten_value(value: Any) -> str:
    """Return a value as text, cut to MAX_VALUE_LENGTH characters."""
    text = as_text(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def load_draft(request: StaffRequest, source_id: UUID) -> tuple[MapLine, ...] | None:
    """Return the user's draft of a source's map; None if there is none."""
    draft = request.session.get(SESSION_KEY, {}).get(str(source_id))
    return None if draft is None else parse_map_lines(draft)


def save_draft(request: StaffRequest, source_id: UUID, lines: Iterable[MapLine]) -> None:
    """Save the lines as the user's draft in the session."""
    drafts = {
        **request.session.get(SESSION_KEY, {}),
        str(source_id): [line.to_json() for line in lines],
    }
    request.session[SESSION_KEY] = dict(list(drafts.items())[-MAX_DRAFTS:])


def delete_draft(request: StaffRequest, source_id: UUID) -> None:
    """Delete the user's draft of a source's map."""
    drafts = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {
        key: draft for key, draft in drafts.items() if key != str(source_id)
    }

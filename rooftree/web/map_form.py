"""A field map on a page: its lines as rows of controls, and back."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict

from rooftree.capture.convert import CONVERSIONS
from rooftree.capture.field_map import MOST_LINES, Line, lines_of
from rooftree.capture.notes import as_text
from rooftree.capture.paths import leaves, written
from rooftree.capture.targets import TARGETS

BLANK = 2  # empty rows at the end, for more
LONG = 20  # lines that are looked over in one list
SHOWN = 160  # characters of a value
KEY = "map_drafts"


def typed(data: QueryDict) -> tuple[Line, ...]:
    """The lines of a submitted page; rows without a field are no lines."""
    rows = [_typed(data, nth) for nth in range(MOST_LINES + BLANK)]
    return tuple(row for row in rows if row.field)


def _typed(data: QueryDict, nth: int) -> Line:
    return Line(
        field=data.get(f"field-{nth}", ""),
        path=data.get(f"path-{nth}", "").strip(),
        constant=data.get(f"constant-{nth}", "").strip(),
        convert=data.get(f"convert-{nth}", ""),
        words=_words(data.get(f"words-{nth}", "")),
        is_required=data.get(f"required-{nth}") == "on",
    )


def _words(text: str) -> dict[str, str]:
    """`P = purchase; R = refinance`, as theirs and ours."""
    pairs = [part.partition("=") for part in text.replace("\n", ";").split(";")]
    return {theirs.strip(): ours.strip() for theirs, sign, ours in pairs if sign and theirs.strip()}


def groups(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The rows in one list; where there are many, those of each group of fields under its name.

    The numbers of the rows stay: of several lines for one field the first counts.
    """
    made: dict[str, list[dict[str, Any]]] = {"": []}
    if len(lines) > LONG:
        made = {title: [] for title, _ in fields()} | made
    for row in rows(lines):
        target = TARGETS.get(row["line"].field) if row["line"] else None
        made[target.group if target and len(lines) > LONG else ""].append(row)
    return [{"title": title, "rows": some} for title, some in made.items() if some]


def rows(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines as the page shows them, blank ones after them."""
    filled = [
        {
            "nth": nth,
            "line": line,
            "label": TARGETS[line.field].label if line.field in TARGETS else line.field,
            "words": "; ".join(f"{theirs} = {ours}" for theirs, ours in line.words.items()),
        }
        for nth, line in enumerate(lines)
    ]
    blank = range(len(lines), min(len(lines) + BLANK, MOST_LINES))
    return [*filled, *({"nth": nth, "line": None, "words": ""} for nth in blank)]


def fields() -> list[tuple[str, list[tuple[str, str]]]]:
    """Our fields in their groups, for the list of a row."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in TARGETS.values():
        groups.setdefault(one.group, []).append((one.key, one.label))
    return list(groups.items())


def conversions() -> list[tuple[str, list[tuple[str, str]]]]:
    """How a value may be written over there, by what it is."""
    return [
        (kind.value.capitalize(), [(key, said) for key, (said, _) in ways.items()])
        for kind, ways in CONVERSIONS.items()
    ]


def places(tree: Any) -> list[tuple[str, str]]:
    """Where something stands in a delivery, and what."""
    return [(written(steps), short(value)) for steps, value in leaves(tree)][:200]


def short(value: Any) -> str:
    """A value as a page shows it."""
    said = as_text(value)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"


def draft_of(request: HttpRequest, source_id: UUID) -> tuple[Line, ...] | None:
    """This person's draft of a source's map, when there is one."""
    held = request.session.get(KEY, {}).get(str(source_id))
    return None if held is None else lines_of(held)


def keep_draft(request: HttpRequest, source_id: UUID, lines: Iterable[Line]) -> None:
    """Put the lines into the draft."""
    held = {**request.session.get(KEY, {}), str(source_id): [line.to_json() for line in lines]}
    request.session[KEY] = dict(list(held.items())[-5:])


def drop_draft(request: HttpRequest, source_id: UUID) -> None:
    """There is no draft any more."""
    held = {key: one for key, one in request.session.get(KEY, {}).items() if key != str(source_id)}
    request.session[KEY] = held

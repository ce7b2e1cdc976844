"""A request to an LOS as a table of fields: los/mappings/<los>.toml, and how it is applied."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los import json_paths
from rooftree.los.field_formats import FORMATTERS
from rooftree.los.los_codes import MissingFact, choose_codes

MAPPINGS_DIR = Path(__file__).parent / "mappings"
FIELD_KEYS = {"from": "sources", "to": "to", "id": "id", "as": "form", "is": "constant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """One field of a request."""

    to: str  # place in the request
    sources: tuple[str, ...] = ()  # hand-off paths; the first that holds something counts
    id: str = ""  # the LOS's own name for it, where that is not the place
    form: str = "text"  # how the value is written: a key of FORMS
    words: Mapping[str, Any] | None = None  # our word to theirs; a word not listed is not sent
    constant: Any = None  # sent as it is, instead of a value
    beside: str = ""  # only when the request holds something there
    when: str = ""  # only when the hand-off holds something true there
    only: str = ""  # the value only when the hand-off holds something true there
    template: str = ""  # text with {paths}, instead of a value
    otherwise: Any = None  # sent when there is no value
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTable:
    """One LOS's table, as read and with the lender's changes laid over it."""

    los: str
    fields: tuple[MappedField, ...]
    main: Mapping[str, str] = field(default_factory=dict)  # value table -> LOS field
    places: Mapping[str, str] = field(default_factory=dict)  # LOS field -> place in the request
    required: frozenset[str] = frozenset()  # LOS fields the LOS insists on
    money: frozenset[str] = frozenset()  # LOS fields of the value tables that are dollars
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # place -> must-haves
    one_of: tuple[Mapping[str, Any], ...] = ()
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    statuses: Mapping[str, Any] = field(default_factory=dict)
    reads: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltRequest:
    """A request, and what could not be put into it."""

    tree: Mapping[str, Any]
    needs: tuple[MissingFact, ...]

    @property
    def missing(self) -> tuple[MissingFact, ...]:
        """What the LOS insists on; while this holds anything, nothing may be sent."""
        return tuple(need for need in self.needs if need.required)


def load_field_table(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """The shipped table of one LOS with the lender's `changes` laid over it.

    `changes` may hold `codes`, `statuses` and `reads`, which are merged entry by
    entry, and `field`, which adds fields or replaces those with the same place.
    """
    text = (MAPPINGS_DIR / f"{los}.toml").read_text(encoding="utf-8")
    base, over = tomllib.loads(text), changes or {}
    _validate_changes(over)
    prefixes = base.get("prefixes", {})
    rows = [_parse_field(row, prefixes) for row in base.get("field", [])]
    added = {row.to: row for row in (_parse_field(row, prefixes) for row in over.get("field", []))}
    kept = [added.pop(row.to, row) for row in rows]
    return FieldTable(
        los=los,
        fields=(*kept, *added.values()),
        main=base.get("main", {}),
        places={
            name: _expand_prefix(place, prefixes) for name, place in base.get("places", {}).items()
        },
        required=frozenset(base.get("required", [])),
        money=frozenset(base.get("money", [])),
        whole={place: tuple(names) for place, names in base.get("whole", {}).items()},
        one_of=tuple(base.get("one_of", [])),
        codes={**base.get("codes", {}), **over.get("codes", {})},
        statuses={**base.get("statuses", {}), **over.get("statuses", {})},
        reads={**base.get("reads", {}), **over.get("reads", {})},
    )


def _validate_changes(changes: Mapping[str, Any]) -> None:
    for part in ("codes", "statuses", "reads"):
        if not isinstance(changes.get(part, {}), dict):
            raise Misconfigured(f"The mapping's {part} must be a table.")
    if not all(isinstance(codes, dict) for codes in changes.get("codes", {}).values()):
        raise Misconfigured("The mapping's codes must be one table for each field.")
    rows = changes.get("field", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Misconfigured("The mapping's fields must be a list of tables.")


def build_request(handoff: Mapping[str, Any], table: FieldTable) -> BuiltRequest:
    """The request for one hand-off (as JSON). Pure; the same hand-off gives the same request."""
    tree: dict[str, Any] = {}
    needs: list[MissingFact] = []
    for row in table.fields:
        if row.constant is None and (not row.when or json_paths.read_path(handoff, row.when)):
            needs.extend(_put_field(tree, handoff, row))
    needs.extend(_put_codes(tree, handoff, table))
    for row in table.fields:
        if row.constant is not None and _is_applicable(tree, handoff, row):
            json_paths.write_path(tree, row.to, row.constant)
    for place, names in table.whole.items():
        if not all(json_paths.read_path(tree, f"{place}.{name}") for name in names):
            json_paths.write_path(tree, place, None)
    needs.extend(_find_unmet_rules(handoff, table))
    return BuiltRequest(tree=json_paths.drop_empty(tree), needs=tuple(dict.fromkeys(needs)))


def _put_field(
    tree: dict[str, Any], handoff: Mapping[str, Any], row: MappedField
) -> list[MissingFact]:
    if row.template:
        json_paths.write_path(tree, row.to, _fill_template(row.template, handoff))
        return []
    held = next(
        (
            value
            for value in (json_paths.read_path(handoff, path) for path in row.sources)
            if _has_value(value)
        ),
        None,
    )
    if row.only and not json_paths.read_path(handoff, row.only):
        held = None
    value = (
        row.words.get(_lookup_key(held))
        if row.words is not None
        else FORMATTERS[row.form](held, handoff)
    )
    if value is None:
        value = row.otherwise
    if value is not None:
        json_paths.write_path(tree, row.to, value)
    if row.required and value in (None, ""):
        return [MissingFact(field=row.id or row.to, path=row.sources[0], required=True)]
    if held is not None and value is None and row.form in {"ten_digits", "dashed_phone", "units"}:
        return [MissingFact(field=row.id or row.to, path=row.sources[0])]
    return []


def _put_codes(
    tree: dict[str, Any], handoff: Mapping[str, Any], table: FieldTable
) -> list[MissingFact]:
    chosen = choose_codes(handoff, table.los, main=table.main, codes=table.codes)
    for name, value in chosen.sets.items():
        if name in table.places:
            if name in table.money:
                value = FORMATTERS["dollars"](value, handoff)
            elif name in ("16", "units", "FinancedUnitCount"):
                value = FORMATTERS["units"](value, handoff)
            json_paths.write_path(tree, table.places[name], value)
    return [
        MissingFact(field=table.main[enum], path=path, required=table.main[enum] in table.required)
        for enum, wanted in chosen.needs.items()
        for path in wanted
    ]


def _find_unmet_rules(handoff: Mapping[str, Any], table: FieldTable) -> list[MissingFact]:
    found = []
    for rule in table.one_of:
        applies = not rule.get("when") or json_paths.read_path(handoff, rule["when"])
        if applies and not any(
            _has_value(json_paths.read_path(handoff, path)) for path in rule["of"]
        ):
            found.append(MissingFact(field=rule["field"], path=rule["of"][0], required=True))
    return found


def _is_applicable(tree: Mapping[str, Any], handoff: Mapping[str, Any], row: MappedField) -> bool:
    if row.when and not json_paths.read_path(handoff, row.when):
        return False
    return not row.beside or bool(json_paths.drop_empty(json_paths.read_path(tree, row.beside)))


def _fill_template(template: str, handoff: Mapping[str, Any]) -> str:
    """The text with each `{path}` filled in; a `[[part]]` whose path is empty is left out."""
    made = ""
    for position, piece in enumerate(template.replace("]]", "[[").split("[[")):
        optional = position % 2 == 1
        text, _, rest = piece.partition("{")
        empty = False
        while rest:
            path, _, rest = rest.partition("}")
            held = json_paths.read_path(handoff, path)
            empty = empty or not _has_value(held)
            before, _, rest = rest.partition("{")
            text += ("" if held is None else str(held)) + before
        made += "" if optional and empty else text
    return made


def _parse_field(row: Mapping[str, Any], prefixes: Mapping[str, str]) -> MappedField:
    given = {FIELD_KEYS.get(key, key): value for key, value in row.items()}
    sources = given.pop("sources", ())
    given["sources"] = (sources,) if isinstance(sources, str) else tuple(sources)
    try:
        made = MappedField(**given)
    except TypeError as problem:
        raise Misconfigured(f"The field table has an entry that is not known: {problem}") from None
    if made.form not in FORMATTERS:
        raise Misconfigured(f"The field table writes {made.to} as {made.form}, which is unknown.")
    return replace(
        made, to=_expand_prefix(made.to, prefixes), beside=_expand_prefix(made.beside, prefixes)
    )


def _expand_prefix(place: str, prefixes: Mapping[str, str]) -> str:
    first, dot, rest = place.partition(".")
    return f"{_expand_prefix(prefixes[first], prefixes)}{dot}{rest}" if first in prefixes else place


def _has_value(value: object) -> bool:
    return value is not None and value != ""


def _lookup_key(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | Decimal) else str(value)

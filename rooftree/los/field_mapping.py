"""The field tables of LOS requests (los/mappings/<los>.toml), and how they are applied."""

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
    sources: tuple[str, ...] = ()  # hand-off paths; the first with a value wins
    id: str = ""  # the LOS's own name, where it differs from the place
    form: str = "text"  # how the value is written: a key of FORMATTERS
    words: Mapping[str, Any] | None = None  # our value to the LOS's; a value not listed is not sent
    constant: Any = None  # sent instead of a value
    beside: str = ""  # only if the request has a value at this place
    when: str = ""  # only if the hand-off has a true value at this path
    only: str = ""  # use the value only if this path is true
    template: str = ""  # text with {paths}, instead of a value
    otherwise: Any = None  # sent when there is no value
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTable:
    """One LOS's table, with the lender's changes applied."""

    los: str
    fields: tuple[MappedField, ...]
    main: Mapping[str, str] = field(default_factory=dict)  # value table -> LOS field
    places: Mapping[str, str] = field(default_factory=dict)  # LOS field -> place in the request
    required: frozenset[str] = frozenset()  # LOS fields the LOS requires
    money: frozenset[str] = frozenset()  # LOS fields of the value tables that are dollars
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # place -> must-haves
    one_of: tuple[Mapping[str, Any], ...] = ()
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    statuses: Mapping[str, Any] = field(default_factory=dict)
    reads: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltRequest:
    """A request, and the facts missing from it."""

    tree: Mapping[str, Any]
    needs: tuple[MissingFact, ...]

    @property
    def missing(self) -> tuple[MissingFact, ...]:
        """Facts the LOS requires; the request can't be sent while there are any."""
        return tuple(need for need in self.needs if need.required)


def load_field_table(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """Load the shipped table of one LOS with the lender's `changes` applied.

    `changes` can hold `codes`, `statuses` and `reads`, which are merged entry by
    entry, and `field`, which adds fields or replaces those with the same place.
    """
    text = (MAPPINGS_DIR / f"{los}.toml").read_text(encoding="utf-8")
    base, lender_changes = tomllib.loads(text), changes or {}
    _validate_changes(lender_changes)
    prefixes = base.get("prefixes", {})
    rows = [_parse_field(row, prefixes) for row in base.get("field", [])]
    added = {
        row.to: row
        for row in (_parse_field(row, prefixes) for row in lender_changes.get("field", []))
    }
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
        codes={**base.get("codes", {}), **lender_changes.get("codes", {})},
        statuses={**base.get("statuses", {}), **lender_changes.get("statuses", {})},
        reads={**base.get("reads", {}), **lender_changes.get("reads", {})},
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
    """Build the request for one hand-off (as JSON). Pure; same input, same request."""
    tree: dict[str, Any] = {}
    needs: list[MissingFact] = []
    for row in table.fields:
        if row.constant is None and (not row.when or json_paths.read_path(handoff, row.when)):
            needs.extend(_put_field(tree, handoff, row))
    needs.extend(_put_codes(tree, handoff, table))
    for row in table.fields:
        if row.constant is None or (row.when and not json_paths.read_path(handoff, row.when)):
            continue
        if not row.beside or json_paths.drop_empty(json_paths.read_path(tree, row.beside)):
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
    source_value = next(
        (
            value
            for value in (json_paths.read_path(handoff, path) for path in row.sources)
            if _has_value(value)
        ),
        None,
    )
    if row.only and not json_paths.read_path(handoff, row.only):
        source_value = None
    lookup_key = str(source_value)
    if isinstance(source_value, bool | Decimal):
        lookup_key = lookup_key.lower()
    value = (
        row.words.get(lookup_key)
        if row.words is not None
        else FORMATTERS[row.form](source_value, handoff)
    )
    if value is None:
        value = row.otherwise
    if value is not None:
        json_paths.write_path(tree, row.to, value)
    if row.required and value in (None, ""):
        return [MissingFact(field=row.id or row.to, path=row.sources[0], required=True)]
    if (
        source_value is not None
        and value is None
        and row.form in {"ten_digits", "dashed_phone", "units"}
    ):
        return [MissingFact(field=row.id or row.to, path=row.sources[0])]
    return []


def _put_codes(
    tree: dict[str, Any], handoff: Mapping[str, Any], table: FieldTable
) -> list[MissingFact]:
    codes = choose_codes(handoff, table.los, main=table.main, codes=table.codes)
    for name, value in codes.sets.items():
        if name in table.places:
            if name in table.money:
                value = FORMATTERS["dollars"](value, handoff)
            elif name in ("16", "units", "FinancedUnitCount"):
                value = FORMATTERS["units"](value, handoff)
            json_paths.write_path(tree, table.places[name], value)
    return [
        MissingFact(
            field=table.main[table_name],
            path=path,
            required=table.main[table_name] in table.required,
        )
        for table_name, paths in codes.needs.items()
        for path in paths
    ]


def _find_unmet_rules(handoff: Mapping[str, Any], table: FieldTable) -> list[MissingFact]:
    unmet = []
    for rule in table.one_of:
        applies = not rule.get("when") or json_paths.read_path(handoff, rule["when"])
        if applies and not any(
            _has_value(json_paths.read_path(handoff, path)) for path in rule["of"]
        ):
            unmet.append(MissingFact(field=rule["field"], path=rule["of"][0], required=True))
    return unmet


def _fill_template(template: str, handoff: Mapping[str, Any]) -> str:
    """Fill each `{path}` of the text; leave out a `[[part]]` with an empty path."""
    filled = ""
    for position, piece in enumerate(template.replace("]]", "[[").split("[[")):
        is_optional = position % 2 == 1
        text, _, rest = piece.partition("{")
        is_empty = False
        while rest:
            path, _, rest = rest.partition("}")
            value = json_paths.read_path(handoff, path)
            is_empty = is_empty or not _has_value(value)
            before, _, rest = rest.partition("{")
            text += ("" if value is None else str(value)) + before
        filled += "" if is_optional and is_empty else text
    return filled


def _parse_field(row: Mapping[str, Any], prefixes: Mapping[str, str]) -> MappedField:
    given = {FIELD_KEYS.get(key, key): value for key, value in row.items()}
    sources = given.pop("sources", ())
    given["sources"] = (sources,) if isinstance(sources, str) else tuple(sources)
    try:
        field_row = MappedField(**given)
    except TypeError as problem:
        raise Misconfigured(f"The field table has an entry that is not known: {problem}") from None
    if field_row.form not in FORMATTERS:
        raise Misconfigured(
            f"The field table writes {field_row.to} as {field_row.form}, which is unknown."
        )
    return replace(
        field_row,
        to=_expand_prefix(field_row.to, prefixes),
        beside=_expand_prefix(field_row.beside, prefixes),
    )


def _expand_prefix(place: str, prefixes: Mapping[str, str]) -> str:
    first, dot, rest = place.partition(".")
    return f"{_expand_prefix(prefixes[first], prefixes)}{dot}{rest}" if first in prefixes else place


def _has_value(value: object) -> bool:
    return value is not None and value != ""

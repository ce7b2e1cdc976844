"""A request to an LOS as a table of fields: los/mappings/<los>.toml, and how it is applied."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rooftree.core.failures import Misconfigured
from rooftree.los import paths
from rooftree.los.forms import FORMS
from rooftree.los.values import Need, choose

MAPPINGS = Path(__file__).parent / "mappings"
FIELD_KEYS = {"from": "sources", "to": "to", "id": "id", "as": "form", "is": "constant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
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
    fields: tuple[Field, ...]
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
class Built:
    """A request, and what could not be put into it."""

    tree: Mapping[str, Any]
    needs: tuple[Need, ...]

    @property
    def missing(self) -> tuple[Need, ...]:
        """What the LOS insists on; while this holds anything, nothing may be sent."""
        return tuple(need for need in self.needs if need.required)


def mapping_of(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """The shipped table of one LOS with the lender's `changes` laid over it.

    `changes` may hold `codes`, `statuses` and `reads`, which are merged entry by
    entry, and `field`, which adds fields or replaces those with the same place.
    """
    text = (MAPPINGS / f"{los}.toml").read_text(encoding="utf-8")
    base, over = tomllib.loads(text), changes or {}
    _check(over)
    prefixes = base.get("prefixes", {})
    rows = [_field(row, prefixes) for row in base.get("field", [])]
    added = {row.to: row for row in (_field(row, prefixes) for row in over.get("field", []))}
    kept = [added.pop(row.to, row) for row in rows]
    return FieldTable(
        los=los,
        fields=(*kept, *added.values()),
        main=base.get("main", {}),
        places={name: _place(place, prefixes) for name, place in base.get("places", {}).items()},
        required=frozenset(base.get("required", [])),
        money=frozenset(base.get("money", [])),
        whole={place: tuple(names) for place, names in base.get("whole", {}).items()},
        one_of=tuple(base.get("one_of", [])),
        codes={**base.get("codes", {}), **over.get("codes", {})},
        statuses={**base.get("statuses", {}), **over.get("statuses", {})},
        reads={**base.get("reads", {}), **over.get("reads", {})},
    )


def _check(changes: Mapping[str, Any]) -> None:
    for part in ("codes", "statuses", "reads"):
        if not isinstance(changes.get(part, {}), dict):
            raise Misconfigured(f"The mapping's {part} must be a table.")
    if not all(isinstance(codes, dict) for codes in changes.get("codes", {}).values()):
        raise Misconfigured("The mapping's codes must be one table for each field.")
    rows = changes.get("field", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Misconfigured("The mapping's fields must be a list of tables.")


def build(handoff: Mapping[str, Any], table: FieldTable) -> Built:
    """The request for one hand-off (as JSON). Pure; the same hand-off gives the same request."""
    tree: dict[str, Any] = {}
    needs: list[Need] = []
    for row in table.fields:
        if row.constant is None and (not row.when or paths.read(handoff, row.when)):
            needs.extend(_put(tree, handoff, row))
    needs.extend(_put_choices(tree, handoff, table))
    for row in table.fields:
        if row.constant is not None and _wanted(tree, handoff, row):
            paths.write(tree, row.to, row.constant)
    for place, names in table.whole.items():
        if not all(paths.read(tree, f"{place}.{name}") for name in names):
            paths.write(tree, place, None)
    needs.extend(_unmet(handoff, table))
    return Built(tree=paths.compact(tree), needs=tuple(dict.fromkeys(needs)))


def _put(tree: dict[str, Any], handoff: Mapping[str, Any], row: Field) -> list[Need]:
    if row.template:
        paths.write(tree, row.to, _filled(row.template, handoff))
        return []
    held = next(
        (value for value in (paths.read(handoff, path) for path in row.sources) if _there(value)),
        None,
    )
    if row.only and not paths.read(handoff, row.only):
        held = None
    value = row.words.get(_word(held)) if row.words is not None else FORMS[row.form](held, handoff)
    if value is None:
        value = row.otherwise
    if value is not None:
        paths.write(tree, row.to, value)
    if row.required and value in (None, ""):
        return [Need(field=row.id or row.to, path=row.sources[0], required=True)]
    if held is not None and value is None and row.form in {"ten_digits", "dashed_phone", "units"}:
        return [Need(field=row.id or row.to, path=row.sources[0])]
    return []


def _put_choices(tree: dict[str, Any], handoff: Mapping[str, Any], table: FieldTable) -> list[Need]:
    chosen = choose(handoff, table.los, main=table.main, codes=table.codes)
    for name, value in chosen.sets.items():
        if name in table.places:
            if name in table.money:
                value = FORMS["dollars"](value, handoff)
            elif name in ("16", "units", "FinancedUnitCount"):
                value = FORMS["units"](value, handoff)
            paths.write(tree, table.places[name], value)
    return [
        Need(field=table.main[enum], path=path, required=table.main[enum] in table.required)
        for enum, wanted in chosen.needs.items()
        for path in wanted
    ]


def _unmet(handoff: Mapping[str, Any], table: FieldTable) -> list[Need]:
    found = []
    for rule in table.one_of:
        applies = not rule.get("when") or paths.read(handoff, rule["when"])
        if applies and not any(_there(paths.read(handoff, path)) for path in rule["of"]):
            found.append(Need(field=rule["field"], path=rule["of"][0], required=True))
    return found


def _wanted(tree: Mapping[str, Any], handoff: Mapping[str, Any], row: Field) -> bool:
    if row.when and not paths.read(handoff, row.when):
        return False
    return not row.beside or bool(paths.compact(paths.read(tree, row.beside)))


def _filled(template: str, handoff: Mapping[str, Any]) -> str:
    """The text with each `{path}` filled in; a `[[part]]` whose path is empty is left out."""
    made = ""
    for position, piece in enumerate(template.replace("]]", "[[").split("[[")):
        optional = position % 2 == 1
        text, _, rest = piece.partition("{")
        empty = False
        while rest:
            path, _, rest = rest.partition("}")
            held = paths.read(handoff, path)
            empty = empty or not _there(held)
            before, _, rest = rest.partition("{")
            text += ("" if held is None else str(held)) + before
        made += "" if optional and empty else text
    return made


def _field(row: Mapping[str, Any], prefixes: Mapping[str, str]) -> Field:
    given = {FIELD_KEYS.get(key, key): value for key, value in row.items()}
    sources = given.pop("sources", ())
    given["sources"] = (sources,) if isinstance(sources, str) else tuple(sources)
    try:
        made = Field(**given)
    except TypeError as problem:
        raise Misconfigured(f"The field table has an entry that is not known: {problem}") from None
    if made.form not in FORMS:
        raise Misconfigured(f"The field table writes {made.to} as {made.form}, which is unknown.")
    return replace(made, to=_place(made.to, prefixes), beside=_place(made.beside, prefixes))


def _place(place: str, prefixes: Mapping[str, str]) -> str:
    first, dot, rest = place.partition(".")
    return f"{_place(prefixes[first], prefixes)}{dot}{rest}" if first in prefixes else place


def _there(value: object) -> bool:
    return value is not None and value != ""


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | Decimal) else str(value)

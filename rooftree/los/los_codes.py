"""From our words to the LOS's codes, by the shipped value table.

A cell of the table gives fields to set, facts that are needed first, or
nothing to send. Nothing is guessed: no code means a need.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rooftree.los.handoff_record import MalformedHandoff
from rooftree.los.json_paths import read_path

MAPPED_FIELDS = (
    "loan.purpose",
    "loan.type",
    "property.type",
    "property.use",
    "loan.amortization",
    "military_status",
    "military",
)
# The answer that names another row of the same table, used where the lead's own
# word has no code.
FALLBACK_ANSWERS = {
    "loan.type": "mortgage_type",
    "loan.amortization": "amortization_type",
}
PURPOSE_FACTS = frozenset(
    {"canonical.loan.purpose", "answers.los_purpose", "answers.construction_kind"}
)
PURPOSE_FIELDS = frozenset(
    {
        "19",
        "LoanPurposeType",
        "RefinanceCashOutDeterminationType",
        "Loan.LoanPurpose",
        "RefinanceCashOutAmount",
        "purpose",
        "sLPurposeT",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFact:
    """A fact somebody must supply before a field can be sent."""

    field: str  # the LOS's name
    path: str  # where in the hand-off object it belongs
    required: bool = False  # the LOS does not take the request without it

    def __str__(self) -> str:
        return f"{self.field}: needs {self.path}"


@dataclass(slots=True, kw_only=True)
class _Cell:
    sets: dict[str, Any] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCodes:
    """Codes by the LOS's field name, and by table what is still needed."""

    sets: Mapping[str, Any]
    needs: Mapping[str, tuple[str, ...]]


@cache
def load_code_table() -> Mapping[str, Any]:
    """The shipped value table."""
    text = (Path(__file__).parent / "data" / "value_maps.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def choose_codes(
    handoff: Mapping[str, Any],
    los: str,
    *,
    main: Mapping[str, str],
    codes: Mapping[str, Mapping[str, Any]],
) -> ChosenCodes:
    """The codes for one lead in one LOS.

    Args:
        handoff: the hand-off as JSON.
        main: table name to the LOS field it is about; tables not named are left out.
        codes: the lender's own codes, by field then by our word.

    Pure. Raises `Malformed` when the lead holds a word that is not ours.
    """
    sets: dict[str, Any] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for enum in MAPPED_FIELDS:
        if enum not in main or main[enum] in sets:
            continue
        cell = _build_cell(handoff, enum, los)
        _fill_cell(cell, handoff, enum, codes)
        for name, value in cell.sets.items():
            sets.setdefault(name, value)
        if cell.needs:
            needs[enum] = tuple(dict.fromkeys(cell.needs))
    return ChosenCodes(sets=sets, needs=needs)


def _build_cell(handoff: Mapping[str, Any], enum: str, los: str) -> _Cell:
    own = _look_up_cell(handoff, enum, _canonical_word(handoff, enum), los)
    if enum == "loan.purpose":
        return _apply_los_purpose(handoff, own, los)
    answer = (
        read_path(handoff, f"answers.{FALLBACK_ANSWERS[enum]}")
        if enum in FALLBACK_ANSWERS
        else None
    )
    need = f"answers.{FALLBACK_ANSWERS[enum]}" if enum in FALLBACK_ANSWERS else ""
    if answer and (need in own.needs or _canonical_word(handoff, enum) == "(absent)"):
        other = _look_up_cell(handoff, enum, answer, los)
        own.sets = {**other.sets, **own.sets}
        own.needs = [path for path in own.needs if path != need] + other.needs
    return own


def _apply_los_purpose(handoff: Mapping[str, Any], own: _Cell, los: str) -> _Cell:
    answer = read_path(handoff, "answers.los_purpose")
    if not answer:
        return own
    other = _look_up_cell(handoff, "loan.purpose", answer, los)
    own.sets = {name: value for name, value in own.sets.items() if name not in PURPOSE_FIELDS}
    own.sets |= {name: value for name, value in other.sets.items() if name in PURPOSE_FIELDS}
    own.needs = [path for path in own.needs if path not in PURPOSE_FACTS] + other.needs
    return own


def _look_up_cell(handoff: Mapping[str, Any], enum: str, word: str, los: str) -> _Cell:
    rows = load_code_table()[enum]
    if word not in rows:
        raise MalformedHandoff(f"canonical.{enum} holds {word!r}, which is not one of our words")
    key = word
    for name in rows:
        bare, plus, condition = name.partition(" + ")
        answer, _, wanted = condition.partition("=")
        if plus and bare == word and read_path(handoff, f"answers.{answer}") == wanted:
            key = name
    cell = rows[key][los]
    return _Cell(sets=dict(cell.get("set", {})), needs=list(cell.get("needs", [])))


def _canonical_word(handoff: Mapping[str, Any], enum: str) -> str:
    value = read_path(handoff, f"canonical.{enum}")
    if enum != "military":
        return "(absent)" if value in (None, "") else str(value)
    if value is True:
        known = read_path(handoff, "canonical.military_status")
        return f"true (military_status {'given' if known else 'absent'})"
    return "(absent)" if value is None else "false"


def _fill_cell(
    cell: _Cell,
    handoff: Mapping[str, Any],
    enum: str,
    codes: Mapping[str, Mapping[str, Any]],
) -> None:
    """Take values from the hand-off and the lender's codes; what is not there is a need."""
    for name, value in list(cell.sets.items()):
        if isinstance(value, str) and value.startswith("{"):
            path = value.strip("{}")
            held = read_path(handoff, path)
            if held is None:
                del cell.sets[name]
                cell.needs.append(path)
            else:
                cell.sets[name] = held
    still = []
    for need in cell.needs:
        target = need.removeprefix("map:")
        code = codes.get(target, {}).get(_canonical_word(handoff, enum)) if target != need else None
        if code is not None:
            cell.sets[target] = code
        elif target != need:
            still.append(f"mapping {target}")
        elif not need.startswith("answers.") or read_path(handoff, need) is None:
            still.append(need)
    cell.needs = still

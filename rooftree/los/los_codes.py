"""Translate Rooftree's values to an LOS's codes, using the shipped value table.

A cell of the table gives fields to set, facts that are needed first, or
nothing to send. Nothing is guessed: a value without a code is reported as a need.
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
# The officer's answer that names another row of the same table, used when the
# lead's own value has no code.
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
    """A fact that must be supplied before a field can be sent."""

    field: str  # the LOS's name
    path: str  # where in the hand-off object it belongs
    required: bool = False  # the LOS rejects the request without it

    def __str__(self) -> str:
        return f"{self.field}: needs {self.path}"


@dataclass(slots=True, kw_only=True)
class _Cell:
    sets: dict[str, Any] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCodes:
    """Codes by the LOS's field name, and the facts still needed, by value table."""

    sets: Mapping[str, Any]
    needs: Mapping[str, tuple[str, ...]]


@cache
def load_code_table() -> Mapping[str, Any]:
    """Load the shipped value table."""
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
    """Choose the codes for one lead in one LOS.

    Args:
        handoff: the hand-off as JSON.
        main: value table name to the LOS field it fills; other tables are skipped.
        codes: the lender's own codes, by field and then by Rooftree's value.

    Pure. Raises `MalformedHandoff` when the lead holds an unknown value.
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
    cell = _look_up_cell(handoff, enum, _canonical_word(handoff, enum), los)
    if enum == "loan.purpose":
        return _apply_los_purpose(handoff, cell, los)
    answer = (
        read_path(handoff, f"answers.{FALLBACK_ANSWERS[enum]}")
        if enum in FALLBACK_ANSWERS
        else None
    )
    need = f"answers.{FALLBACK_ANSWERS[enum]}" if enum in FALLBACK_ANSWERS else ""
    if answer and (need in cell.needs or _canonical_word(handoff, enum) == "(absent)"):
        answer_cell = _look_up_cell(handoff, enum, answer, los)
        cell.sets = {**answer_cell.sets, **cell.sets}
        cell.needs = [path for path in cell.needs if path != need] + answer_cell.needs
    return cell


def _apply_los_purpose(handoff: Mapping[str, Any], cell: _Cell, los: str) -> _Cell:
    answer = read_path(handoff, "answers.los_purpose")
    if not answer:
        return cell
    answer_cell = _look_up_cell(handoff, "loan.purpose", answer, los)
    cell.sets = {name: value for name, value in cell.sets.items() if name not in PURPOSE_FIELDS}
    cell.sets |= {name: value for name, value in answer_cell.sets.items() if name in PURPOSE_FIELDS}
    cell.needs = [path for path in cell.needs if path not in PURPOSE_FACTS] + answer_cell.needs
    return cell


def _look_up_cell(handoff: Mapping[str, Any], enum: str, word: str, los: str) -> _Cell:
    rows = load_code_table()[enum]
    if word not in rows:
        raise MalformedHandoff(f"canonical.{enum} holds {word!r}, which is not a known value")
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
    """Fill the cell from the hand-off and the lender's codes; report the rest as needs."""
    for name, value in list(cell.sets.items()):
        if isinstance(value, str) and value.startswith("{"):
            path = value.strip("{}")
            given = read_path(handoff, path)
            if given is None:
                del cell.sets[name]
                cell.needs.append(path)
            else:
                cell.sets[name] = given
    unmet = []
    for need in cell.needs:
        target = need.removeprefix("map:")
        code = codes.get(target, {}).get(_canonical_word(handoff, enum)) if target != need else None
        if code is not None:
            cell.sets[target] = code
        elif target != need:
            unmet.append(f"mapping {target}")
        elif not need.startswith("answers.") or read_path(handoff, need) is None:
            unmet.append(need)
    cell.needs = unmet

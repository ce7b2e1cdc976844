"""Parsing for the sequence editor: steps as form rows, acts on them, and rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from rooftree.nurture.sequence_plan import (
    ENDING_EVENTS,
    KINDS,
    MAX_STEPS,
    MAX_WORDS,
    PROSPECT_STAGES,
    STAGES,
    WORDED_KINDS,
)
from rooftree.nurture.step_conditions import MAX_LENGTH
from rooftree.nurture.step_descriptions import MINUTES_PER_UNIT, split_minutes
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

BUSINESS_DAYS = "business days"
UNITS = (*MINUTES_PER_UNIT, BUSINESS_DAYS)
MAX_DIGITS = 6
BLANK_STEPS: Mapping[str, dict[str, Any]] = {
    "message": {"media": ["email"], "template": ""},
    "branch": {"if": "", "then": "exit"},
    **{kind: {"words": {"en": ""}} for kind in WORDED_KINDS},
}
# Where a problem of a step is shown: the first words of its sentence, and the field.
PLACES = (
    *(("set a delay", "after"), ("enter the hour", "after")),
    *(("condition", "if"), ("write the condition", "if")),
    *(("choose what happens", "then"), ("a branch goes", "then"), ("the sequence it", "then")),
    *(("choose text", "media"), ("write what", "words"), ("use at most", "words")),
)


def parse_steps(data: QueryDict) -> list[dict[str, Any]]:
    """Parse the submitted steps, in their order; rows without a kind or template are skipped."""
    rows = [_parse_step(data, nth) for nth in range(MAX_STEPS + 1)]
    return [row for row in rows if row]


def _parse_step(data: QueryDict, nth: int) -> dict[str, Any]:
    kind = data.get(f"kind-{nth}", "")
    named = data.get(f"newname-{nth}", "").lower()
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in named)
    template = "_".join(plain.split()) or data.get(f"template-{nth}", "")
    if kind not in KINDS and not template:
        return {}
    kind = kind if kind in KINDS else "message"
    row: dict[str, Any] = {"kind": kind, **_parse_delay(data, nth)}
    if step_id := data.get(f"id-{nth}", "")[:40]:
        row["id"] = step_id
    if kind == "message":
        row["template"] = template[:60]
        row["media"] = [medium for medium in MEDIUM_NAMES if data.get(f"{medium}-{nth}") == "on"]
    if kind in WORDED_KINDS:
        typed = {code: _clean(data.get(f"words-{code}-{nth}", "")) for code in ("en", "es")}
        row["words"] = {code: words[: MAX_WORDS + 1] for code, words in typed.items() if words}
    if condition := _clean(data.get(f"if-{nth}", ""))[: MAX_LENGTH + 1]:
        row["if"] = condition
    if kind == "branch":
        row["then"] = data.get(f"then-{nth}", "")[:80]
    return row


def _parse_delay(data: QueryDict, nth: int) -> dict[str, Any]:
    """Parse a delay; what is no number is kept as it was typed, and refused later."""
    typed, unit = data.get(f"after-{nth}", "").strip(), data.get(f"unit-{nth}", "")
    hour = data.get(f"at-{nth}", "").strip()[:8]
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= MAX_DIGITS
    if unit == BUSINESS_DAYS or (unit == "days" and hour):
        days: Any = int(typed) if is_number else typed[:20] or 0
        delay = {"after_minutes": 0, "after_days": days}
        delay |= {"at": hour} if hour else {}
        return delay | ({"business": True} if unit == BUSINESS_DAYS else {})
    minutes: Any = int(typed) * MINUTES_PER_UNIT.get(unit, 1) if is_number else typed[:20]
    return {"after_minutes": minutes} | ({"at": hour} if hour else {})


def parse_rules(data: QueryDict, known: dict[str, Any]) -> dict[str, Any]:
    """Parse the rules; without them in the form, those that are known stay."""
    if "start" not in data:
        return known
    return {
        "start": data.get("start", ""),
        "start_days": _parse_number(data.get("start_days", "")),
        "milestone": data.get("milestone", "")[:40],
        "audience": _clean(data.get("audience", ""))[: MAX_LENGTH + 1],
        "goal": _clean(data.get("goal", ""))[: MAX_LENGTH + 1],
        "stages": [stage for stage in STAGES if stage in data.getlist("stages")]
        or [*PROSPECT_STAGES],
        "ends_on": [event for event in ENDING_EVENTS if event in data.getlist("ends_on")],
        "priority": _parse_number(data.get("priority", "")),
    }


def apply_act(steps: list[dict[str, Any]], act: str, new_kind: str) -> tuple[list[Any], int]:
    """Add, move or remove a step; return the steps and the number of the one to look at.

    Every step gets an id first, so that branches keep pointing at the same step.
    """
    rows = name_steps(steps)
    verb, _, typed = act.partition("-")
    nth = int(typed) if typed.isdecimal() and len(typed) < MAX_DIGITS else len(rows)
    if verb == "add" and new_kind in KINDS and len(rows) < MAX_STEPS:
        blank = {"kind": new_kind, "after_minutes": 1440, **BLANK_STEPS.get(new_kind, {})}
        rows.insert(nth + 1, blank)
        return name_steps(rows), min(nth + 2, len(rows))
    if nth >= len(rows):
        return rows, 0
    if verb == "remove":
        del rows[nth]
        return rows, max(nth, 1)
    target = nth + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= target < len(rows):
        rows[nth], rows[target] = rows[target], rows[nth]
    return rows, min(max(target, 0), len(rows) - 1) + 1


def name_steps(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps with an id each. Steps of old versions have their place as their id."""
    taken = {step["id"] for step in steps if step.get("id")}
    rows = []
    for number, step in enumerate(steps, 1):
        if not step.get("id"):
            free = (f"s{nth}" for nth in (number, *range(1, 2 * MAX_STEPS)))
            step = {**step, "id": next(name for name in free if name not in taken)}
            taken.add(step["id"])
        rows.append(step)
    return rows


def build_rows(
    steps: Iterable[dict[str, Any]], problems: Iterable[tuple[int, str]] = ()
) -> list[dict[str, Any]]:
    """Build form rows from steps, each with its problems by field."""
    by_step: dict[int, dict[str, list[str]]] = {}
    for number, sentence in problems:
        field = next((name for start, name in PLACES if sentence.startswith(start)), "template")
        shown = sentence[0].upper() + sentence[1:]
        by_step.setdefault(number, {}).setdefault(field, []).append(shown)
    rows = []
    for nth, step in enumerate(steps):
        number, minutes = step.get("after_days", 0), step.get("after_minutes", 0)
        unit = BUSINESS_DAYS if step.get("business") else "days"
        if not number and not step.get("business"):
            is_count = isinstance(minutes, int)
            number, unit = split_minutes(minutes) if is_count else (minutes, "minutes")
        kind = step.get("kind", "message")
        rows.append(
            {
                "nth": nth, "step": step, "kind": kind, "kind_name": KINDS.get(kind, ""),
                "number": number, "unit": unit, "condition": step.get("if", ""),
                "problems": by_step.get(nth + 1, {}),
                "title": get_occasion(step["template"]).title if step.get("template") else "",
            }
        )  # fmt: skip
    return rows


def _parse_number(typed: str) -> int:
    typed = typed.strip()
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= MAX_DIGITS
    return int(typed) if is_number else (-1 if typed else 0)


def _clean(typed: str) -> str:
    return typed.replace("\x00", "").replace("\r\n", "\n").strip()

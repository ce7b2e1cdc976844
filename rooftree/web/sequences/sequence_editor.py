"""Parsing for the sequence editor: steps as form rows, and drafts in the session."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict

from rooftree.nurture.sequence_approval import MAX_STEPS
from rooftree.nurture.step_descriptions import MINUTES_PER_UNIT, split_minutes
from rooftree.outreach.wording.occasions import MEDIUM_NAMES
from rooftree.web.shared.staff_request import StaffRequest

SESSION_KEY = "sequence_drafts"
BLANK_ROWS = 2  # empty rows at the end for new steps


def parse_steps(data: QueryDict) -> list[dict[str, Any]]:
    """Parse the submitted steps; rows without a template are skipped."""
    rows = [_parse_step(data, nth) for nth in range(MAX_STEPS + BLANK_ROWS)]
    return [row for row in rows if row["template"]]


def _parse_step(data: QueryDict, nth: int) -> dict[str, Any]:
    number = data.get(f"after-{nth}", "").strip()
    unit = MINUTES_PER_UNIT.get(data.get(f"unit-{nth}", ""), 1)
    whole = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 0
    return {
        "after_minutes": whole * unit,
        "template": data.get(f"template-{nth}", ""),
        "media": [medium for medium in MEDIUM_NAMES if data.get(f"{medium}-{nth}") == "on"],
    }


def build_rows(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build form rows from steps, followed by blank rows."""
    filled = []
    for nth, step in enumerate(steps):
        number, unit = split_minutes(step["after_minutes"])
        filled.append({"nth": nth, "step": step, "number": number, "unit": unit})
    blank = range(len(steps), min(len(steps) + BLANK_ROWS, MAX_STEPS))
    return [*filled, *({"nth": nth, "step": None, "unit": "days"} for nth in blank)]


def load_draft(request: StaffRequest, key: str) -> list[dict[str, Any]] | None:
    """Return the user's draft of a sequence, or None."""
    draft: list[dict[str, Any]] | None = request.session.get(SESSION_KEY, {}).get(key)
    return draft


def save_draft(request: StaffRequest, key: str, steps: Sequence[dict[str, Any]]) -> None:
    """Save steps as the user's draft, in their session."""
    request.session[SESSION_KEY] = {**request.session.get(SESSION_KEY, {}), key: list(steps)}


def delete_draft(request: StaffRequest, key: str) -> None:
    """Delete the user's draft; do nothing if there is none."""
    drafts = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {name: steps for name, steps in drafts.items() if name != key}

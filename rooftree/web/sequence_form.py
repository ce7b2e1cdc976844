"""Steps of a sequence on a page: rows of controls, and back; and a draft of one's own."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, QueryDict

from rooftree.nurture.publish_sequence import MOST
from rooftree.nurture.step_words import UNITS, parted
from rooftree.outreach.purposes import MEDIA

KEY = "sequence_drafts"
BLANK = 2  # empty rows at the end, for more


def typed(data: QueryDict) -> list[dict[str, Any]]:
    """The steps of a submitted page; a row without wording is none."""
    rows = [_typed(data, nth) for nth in range(MOST + BLANK)]
    return [row for row in rows if row["template"]]


def _typed(data: QueryDict, nth: int) -> dict[str, Any]:
    number = data.get(f"after-{nth}", "").strip()
    unit = UNITS.get(data.get(f"unit-{nth}", ""), 1)
    whole = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 0
    return {
        "after_minutes": whole * unit,
        "template": data.get(f"template-{nth}", ""),
        "media": [one for one in MEDIA if data.get(f"{one}-{nth}") == "on"],
    }


def rows(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps as rows of controls, blank ones after them."""
    filled = []
    for nth, step in enumerate(steps):
        number, unit = parted(step["after_minutes"])
        filled.append({"nth": nth, "step": step, "number": number, "unit": unit})
    blank = range(len(steps), min(len(steps) + BLANK, MOST))
    return [*filled, *({"nth": nth, "step": None, "unit": "days"} for nth in blank)]


def draft_of(request: HttpRequest, key: str) -> list[dict[str, Any]] | None:
    """What this person typed last and did not send."""
    held: list[dict[str, Any]] | None = request.session.get(KEY, {}).get(key)
    return held


def keep_draft(request: HttpRequest, key: str, steps: Sequence[dict[str, Any]]) -> None:
    """Hold what was typed for this person alone."""
    request.session[KEY] = {**request.session.get(KEY, {}), key: list(steps)}


def drop_draft(request: HttpRequest, key: str) -> None:
    """There is no draft any more."""
    held = request.session.get(KEY, {})
    request.session[KEY] = {name: steps for name, steps in held.items() if name != key}

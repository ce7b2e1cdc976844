"""Steps of a sequence in words: how long after the one before, on which day, by what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import NoTemplate, best_template
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

MINUTES_PER_UNIT = {"minutes": 1, "hours": 60, "days": 24 * 60}  # in minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """One step as a page shows it."""

    number: int
    key: str
    title: str
    media_label: str
    delay: str  # after the step before
    time_since_start: str  # since the start
    templates: tuple[tuple[str, Template | None], ...]  # by medium, in English


def describe_steps(
    steps: Sequence[dict[str, Any]], live: Sequence[Template]
) -> Iterator[StepDescription]:
    """They are the steps in order. `live` is the wording in use now."""
    since = 0
    for number, step in enumerate(steps, 1):
        since += step["after_minutes"]
        yield StepDescription(
            number=number,
            key=step["template"],
            title=get_occasion(step["template"]).title,
            media_label=" and ".join(MEDIUM_NAMES[one].lower() for one in step["media"]).capitalize(),
            delay=format_minutes(step["after_minutes"]),
            time_since_start=_format_time_since_start(since),
            templates=tuple(
                (one, _find_template(live, step["template"], one)) for one in step["media"]
            ),
        )


def split_minutes(minutes: int) -> tuple[int, str]:
    """A span in the largest unit that it is whole in."""
    unit = next(one for one in ("days", "hours", "minutes") if minutes % MINUTES_PER_UNIT[one] == 0)
    return minutes // MINUTES_PER_UNIT[unit], unit


def format_minutes(minutes: int) -> str:
    """It is a span as people say it: “30 minutes”, “3 days”."""
    number, unit = split_minutes(minutes)
    return f"{number} {unit if number != 1 else unit[:-1]}"


def _format_time_since_start(minutes: int) -> str:
    days, rest = divmod(timedelta(minutes=minutes), timedelta(days=1))
    if not days:
        return f"after {format_minutes(minutes)}"
    left = int(rest.total_seconds() // 60)
    return f"on day {days}" + (f", {format_minutes(left)} later" if left else "")


def _find_template(live: Sequence[Template], key: str, medium: str) -> Template | None:
    try:
        return best_template(live, key, medium=medium, language="en")
    except NoTemplate:
        return None

"""Descriptions of sequence steps for pages: delay, day, media and templates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import NoTemplate, best_template
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

MINUTES_PER_UNIT = {"minutes": 1, "hours": 60, "days": 24 * 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """One sequence step as shown on a page."""

    number: int
    key: str
    title: str
    media_label: str
    delay: str  # after the previous step
    time_since_start: str
    templates: tuple[tuple[str, Template | None], ...]  # by medium, in English


def describe_steps(
    steps: Sequence[dict[str, Any]], live: Sequence[Template]
) -> Iterator[StepDescription]:
    """Yield descriptions of the steps in order.

    Args:
        live: the templates in use now.
    """
    minutes_since_start = 0
    for number, step in enumerate(steps, 1):
        minutes_since_start += step["after_minutes"]
        yield StepDescription(
            number=number,
            key=step["template"],
            title=get_occasion(step["template"]).title,
            media_label=" and ".join(
                MEDIUM_NAMES[medium].lower() for medium in step["media"]
            ).capitalize(),
            delay=format_minutes(step["after_minutes"]),
            time_since_start=_format_time_since_start(minutes_since_start),
            templates=tuple(
                (medium, _find_template(live, step["template"], medium)) for medium in step["media"]
            ),
        )


def split_minutes(minutes: int) -> tuple[int, str]:
    """Split minutes into a number and its largest whole unit: 180 is (3, "hours")."""
    unit = next(
        name for name in ("days", "hours", "minutes") if minutes % MINUTES_PER_UNIT[name] == 0
    )
    return minutes // MINUTES_PER_UNIT[unit], unit


def format_minutes(minutes: int) -> str:
    """Format minutes in the largest whole unit: “30 minutes”, “3 days”."""
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

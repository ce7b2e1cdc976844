"""Descriptions of sequence steps for pages: delay, day, media, templates and conditions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta

from rooftree.nurture.sequence_plan import KINDS, Delay, Plan, Step
from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import NoTemplate, best_template
from rooftree.outreach.wording.occasions import MEDIUM_NAMES, get_occasion

MINUTES_PER_UNIT = {"minutes": 1, "hours": 60, "days": 24 * 60}
ICONS = {
    "message": "mail",
    "call_task": "phone",
    "officer_alert": "bell",
    "wait": "clock",
    "branch": "routing",
    "exit": "x",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """One sequence step as shown on a page."""

    number: int
    id: str
    kind: str
    key: str  # of the template
    title: str
    media_label: str  # of a message, else what the step does
    icon: str
    delay: str  # after the previous step
    time_since_start: str
    condition: str
    then: str  # of a branch, as a sentence
    templates: tuple[tuple[str, Template | None], ...]  # by medium, in English


def describe_steps(
    plan: Plan, live: Sequence[Template], names: Mapping[str, str] | None = None
) -> Iterator[StepDescription]:
    """Yield descriptions of the steps in order.

    Args:
        live: the templates in use now.
        names: of other sequences by key, for branches that lead to them.
    """
    elapsed = timedelta()
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    for number, step in enumerate(plan.steps, 1):
        if step.delay.days or step.delay.at:
            elapsed = timedelta(days=elapsed.days + step.delay.days)
        else:
            elapsed += timedelta(minutes=step.delay.minutes)
        yield StepDescription(
            number=number,
            id=step.id,
            kind=step.kind,
            key=step.template,
            title=step_title(step),
            media_label=media_label(step),
            icon="text" if step.media == ("text",) else ICONS[step.kind],
            delay=format_delay(step.delay),
            time_since_start=_format_time_since_start(elapsed, step.delay.at),
            condition=step.condition_text,
            then=_describe_branch(step, numbers, names or {}),
            templates=tuple(
                (medium, _find_template(live, step.template, medium))
                for medium in (step.media if step.kind == "message" else ())
            ),
        )


def step_title(step: Step) -> str:
    """Return the name of a step: its template, or the beginning of its words."""
    if step.kind == "message":
        return get_occasion(step.template).title if step.template else ""
    words = " ".join(step.words.get("en", "").split())
    return f"{words[:80].rstrip()}…" if len(words) > 80 else words


def media_label(step: Step) -> str:
    """Return what a step sends or does: “Text and email”, “Call task”."""
    if step.kind != "message":
        return KINDS[step.kind]
    return " and ".join(MEDIUM_NAMES[medium].lower() for medium in step.media).capitalize()


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


def format_delay(delay: Delay) -> str:
    """Format a delay: “30 minutes”, “2 business days at 9:00 AM”, "" for none."""
    if not delay.days and delay.at is None:
        return format_minutes(delay.minutes) if delay.minutes else ""
    kind = "business day" if delay.is_business else "day"
    days = f"{delay.days} {kind}{'' if delay.days == 1 else 's'}" if delay.days else ""
    return " ".join(part for part in (days, _format_hour(delay.at)) if part)


def _format_hour(hour: time | None) -> str:
    return f"at {hour:%I:%M %p}".replace("at 0", "at ") if hour else ""


def _format_time_since_start(elapsed: timedelta, hour: time | None) -> str:
    left = int(elapsed.total_seconds() // 60)
    days, rest = divmod(left, 24 * 60)
    if hour:
        return f"on day {days} {_format_hour(hour)}"
    if not left:
        return "at once"
    if not days:
        return f"after {format_minutes(left)}"
    return f"on day {days}" + (f", {format_minutes(rest)} later" if rest else "")


def _describe_branch(step: Step, numbers: Mapping[str, int], names: Mapping[str, str]) -> str:
    if step.kind != "branch":
        return ""
    verb, _, target = step.then.partition(":")
    if verb == "go":
        return f"go to step {numbers.get(target, '?')}"
    return f"move to “{names.get(target, target)}”" if verb == "move" else "end"


def _find_template(live: Sequence[Template], key: str, medium: str) -> Template | None:
    try:
        return best_template(live, key, medium=medium, language="en")
    except NoTemplate:
        return None

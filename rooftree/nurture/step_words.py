"""Steps of a sequence in words: how long after the one before, on which day, by what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rooftree.outreach.models import Template
from rooftree.outreach.purposes import MEDIA, occasion
from rooftree.outreach.wording import NoWording, best

UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}  # in minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as a page shows it."""

    number: int
    key: str
    title: str
    by: str
    pause: str  # after the step before
    moment: str  # since the start
    wordings: tuple[tuple[str, Template | None], ...]  # by medium, in English


def of(steps: Sequence[dict[str, Any]], live: Sequence[Template]) -> Iterator[Step]:
    """They are the steps in order. `live` is the wording in use now."""
    since = 0
    for number, step in enumerate(steps, 1):
        since += step["after_minutes"]
        yield Step(
            number=number,
            key=step["template"],
            title=occasion(step["template"]).title,
            by=" and ".join(MEDIA[one].lower() for one in step["media"]).capitalize(),
            pause=span(step["after_minutes"]),
            moment=_moment(since),
            wordings=tuple((one, _wording(live, step["template"], one)) for one in step["media"]),
        )


def parted(minutes: int) -> tuple[int, str]:
    """A span in the largest unit that it is whole in."""
    unit = next(one for one in ("days", "hours", "minutes") if minutes % UNITS[one] == 0)
    return minutes // UNITS[unit], unit


def span(minutes: int) -> str:
    """It is a span as people say it: “30 minutes”, “3 days”."""
    number, unit = parted(minutes)
    return f"{number} {unit if number != 1 else unit[:-1]}"


def _moment(minutes: int) -> str:
    days, rest = divmod(timedelta(minutes=minutes), timedelta(days=1))
    if not days:
        return f"after {span(minutes)}"
    left = int(rest.total_seconds() // 60)
    return f"on day {days}" + (f", {span(left)} later" if left else "")


def _wording(live: Sequence[Template], key: str, medium: str) -> Template | None:
    try:
        return best(live, key, medium=medium, language="en")
    except NoWording:
        return None

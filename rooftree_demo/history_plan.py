"""In which order a history is loaded, and how far it is.

What the first screen shows comes first: the last complete quarter and what came
since, in layers. Each layer is every nth lead of those months with its share of
what was spent, so that a fair sample of them is there after a few seconds, grows,
and gives figures that are true of what is loaded whenever one looks. Then come the
older months in whole weeks, newest first, so that what is loaded always reaches
without a gap from some week until today.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path

from rooftree.reporting.first_screen.report_period import last_complete_period
from rooftree_demo.stories import STORY_COUNT, Story, plan_stories

LEADS_PER_LAYER = 1250  # of all history; a quarter of them are of the recent months
WEEK_IN_MONTHS = 12 * 7 / 365  # in months
OLDER_PART = "older"
RATES_PART = "rates"  # the sheets, when everybody who waits for one is there


@dataclass(frozen=True, kw_only=True)
class HistoryPlan:
    """A history of `count` leads that ends when the demo `began`."""

    began: datetime
    count: int

    @classmethod
    def load_or_create(cls, folder: Path, *, count: int) -> "HistoryPlan":
        """The plan kept in a demo's folder; made, of `count` leads, at the first call."""
        file = folder / "began.json"
        if not file.exists():
            kept = {"began": datetime.now(UTC).isoformat(), "count": count}
            file.write_text(json.dumps(kept))
        kept = json.loads(file.read_text())
        if isinstance(kept, str):  # an earlier release loaded this home; it keeps what it has
            return cls(began=datetime.fromisoformat(kept), count=0)
        return cls(began=datetime.fromisoformat(kept["began"]), count=kept["count"])

    @property
    def layers(self) -> int:
        """Into how many parts the recent months are divided."""
        return max(1, self.count // LEADS_PER_LAYER)

    @property
    def parts(self) -> list[str]:
        """The names of all parts, in the order of loading."""
        if not self.count:
            return []
        return [*(f"layer{n}" for n in range(self.layers)), OLDER_PART, RATES_PART]

    @cached_property
    def by_part(self) -> dict[str, list[Story]]:
        """The stories of every part in the order of loading, newest first."""
        quarter = last_complete_period("quarter", self.began.date()).from_date
        parts: dict[str, list[Story]] = {name: [] for name in self.parts if name != RATES_PART}
        for story in reversed(plan_stories(now=self.began, count=self.count) if self.count else ()):
            is_old = story.at.date() < quarter
            parts[OLDER_PART if is_old else f"layer{story.number % self.layers}"].append(story)
        return parts

    def spans(self, part: str) -> Iterator[tuple[str, list[Story]]]:
        """The stories of a part by the span whose advertising goes with them, under its name.

        Whole weeks of the older months; of a layer its share of each month.
        """
        key = _week_key if part == OLDER_PART else _month_key
        for span, stories in groupby(self.by_part[part], key=key):
            yield f"ads:{part}:{span}", list(stories)

    def ad_months(self, part: str) -> float:
        """How much of a month's advertising one span of a part is; a small history buys less."""
        return (
            (WEEK_IN_MONTHS if part == OLDER_PART else 1 / self.layers) * self.count / STORY_COUNT
        )


def _week_key(story: Story) -> str:
    return f"{story.at.date() - timedelta(days=story.at.weekday())}"


def _month_key(story: Story) -> str:
    return f"{story.at:%Y-%m}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How much of a plan is told."""

    told: int
    of: int
    what: str  # what is being loaded: "" when all is there
    pct: int  # of that

    @property
    def is_done(self) -> bool:
        return not self.what

    def as_json(self) -> str:
        return json.dumps({one: getattr(self, one) for one in ("told", "of", "what", "pct")})


def measure_progress(plan: HistoryPlan, told: Iterable[str]) -> LoadProgress:
    """How far the loading of a plan is, given the numbers of the stories told."""
    done = set(told)
    total = sum(str(one.number) in done for part in plan.by_part.values() for one in part)
    for what, stories in _progress_spans(plan):
        here = sum(str(story.number) in done for story in stories)
        if here < len(stories):
            pct = 100 * here // len(stories)
            return LoadProgress(told=total, of=plan.count, what=what, pct=pct)
    return LoadProgress(told=total, of=plan.count, what="", pct=100)


def _progress_spans(plan: HistoryPlan) -> Iterator[tuple[str, list[Story]]]:
    recent = [one for name, part in plan.by_part.items() if name != OLDER_PART for one in part]
    if recent:
        yield f"{min(one.at for one in recent):%B %Y} until today", recent
    for month, stories in groupby(
        plan.by_part.get(OLDER_PART, ()), key=lambda one: f"{one.at:%B %Y}"
    ):
        yield month, list(stories)

"""The order in which a history is loaded, and its progress.

Leads of the first screen come first: the last complete quarter and the time since, in
layers. Each layer is every nth lead of those months with its share of the costs, so a
fair sample is there after a few seconds, grows, and gives figures that are true of the
loaded leads at any time. Then come the older months in whole weeks, newest first, so
the loaded leads always cover some week until today without a gap.
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

LEADS_PER_LAYER = 1250  # leads of all history per layer; a quarter of them are recent
WEEK_IN_MONTHS = 12 * 7 / 365
OLDER_PART = "older"
RATES_PART = "rates"  # rate sheets, loaded after all borrowers who wait for a rate


@dataclass(frozen=True, kw_only=True)
class HistoryPlan:
    """A history of `count` leads that ends at `began`, the start of the demo."""

    began: datetime
    count: int

    @classmethod
    def load_or_create(cls, folder: Path, *, count: int) -> "HistoryPlan":
        """Load the plan from a demo's folder; the first call creates one of `count` leads."""
        file = folder / "began.json"
        if not file.exists():
            content = {"began": datetime.now(UTC).isoformat(), "count": count}
            file.write_text(json.dumps(content))
        content = json.loads(file.read_text())
        if isinstance(content, str):  # loaded by an earlier release: nothing more is loaded
            return cls(began=datetime.fromisoformat(content), count=0)
        return cls(began=datetime.fromisoformat(content["began"]), count=content["count"])

    @property
    def layers(self) -> int:
        """The number of parts that the recent months are divided into."""
        return max(1, self.count // LEADS_PER_LAYER)

    @property
    def parts(self) -> list[str]:
        """The names of all parts, in the order of loading."""
        if not self.count:
            return []
        return [*(f"layer{n}" for n in range(self.layers)), OLDER_PART, RATES_PART]

    @cached_property
    def by_part(self) -> dict[str, list[Story]]:
        """The stories of each part in loading order, newest first."""
        quarter = last_complete_period("quarter", self.began.date()).from_date
        parts: dict[str, list[Story]] = {name: [] for name in self.parts if name != RATES_PART}
        for story in reversed(plan_stories(now=self.began, count=self.count) if self.count else ()):
            is_old = story.at.date() < quarter
            parts[OLDER_PART if is_old else f"layer{story.number % self.layers}"].append(story)
        return parts

    def spans(self, part: str) -> Iterator[tuple[str, list[Story]]]:
        """Yield the name and stories of each advertising span of a part.

        A span is a whole week of the older months, or a layer's share of a month.
        """

        def name_span(story: Story) -> str:
            if part == OLDER_PART:
                return f"{story.at.date() - timedelta(days=story.at.weekday())}"
            return f"{story.at:%Y-%m}"

        for span, stories in groupby(self.by_part[part], key=name_span):
            yield f"ads:{part}:{span}", list(stories)

    def ad_months(self, part: str) -> float:
        """Return the months of advertising in one span of a part; less in a small history."""
        return (
            (WEEK_IN_MONTHS if part == OLDER_PART else 1 / self.layers) * self.count / STORY_COUNT
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """The progress of loading a plan: `loaded` of `total` leads."""

    loaded: int
    total: int
    label: str  # the months being loaded; "" when all is loaded
    pct: int  # percent of those months

    @property
    def is_done(self) -> bool:
        return not self.label

    def as_json(self) -> str:
        return json.dumps(
            {"told": self.loaded, "of": self.total, "what": self.label, "pct": self.pct}
        )


def measure_progress(plan: HistoryPlan, loaded_names: Iterable[str]) -> LoadProgress:
    """Measure the progress of a plan, given the numbers of the loaded stories."""
    names = set(loaded_names)
    loaded = sum(str(story.number) in names for part in plan.by_part.values() for story in part)
    for label, stories in _progress_spans(plan):
        loaded_here = sum(str(story.number) in names for story in stories)
        if loaded_here < len(stories):
            pct = 100 * loaded_here // len(stories)
            return LoadProgress(loaded=loaded, total=plan.count, label=label, pct=pct)
    return LoadProgress(loaded=loaded, total=plan.count, label="", pct=100)


def _progress_spans(plan: HistoryPlan) -> Iterator[tuple[str, list[Story]]]:
    recent = [story for name, part in plan.by_part.items() if name != OLDER_PART for story in part]
    if recent:
        yield f"{min(story.at for story in recent):%B %Y} to today", recent
    for month, stories in groupby(
        plan.by_part.get(OLDER_PART, ()), key=lambda story: f"{story.at:%B %Y}"
    ):
        yield month, list(stories)

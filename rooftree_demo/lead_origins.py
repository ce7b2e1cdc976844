"""The twelve sources of Lindenfield's history, each with its volume, price and outcomes."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HISTORY_MONTHS = 18  # a source can start later or end sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOrigin:
    """One source of the history. Months are counted from the start of the history."""

    slug: str
    adapter: str
    name: str
    share: int  # weight among all sources
    cost_cents: int  # per lead, if the vendor charges per lead
    ads_cents: int  # per month, for advertising
    first_month: int
    last_month: int  # exclusive
    language: str  # of all its borrowers; "" is mixed
    fates: tuple[int, ...]  # percent of its leads, in the order of `stories.Fate`

    def is_used_in(self, month: int) -> bool:
        """Decide whether the source sends leads in the month with this number."""
        return self.first_month <= month and (
            month < self.last_month or self.last_month == HISTORY_MONTHS
        )


def _read_origins() -> tuple[LeadOrigin, ...]:
    with (Path(__file__).parent / "sources.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            LeadOrigin(
                slug=row["slug"],
                adapter=row["adapter"],
                name=row["name"],
                share=int(row["share"]),
                cost_cents=int(row["cost_cents"]),
                ads_cents=int(row["ads_cents"]),
                first_month=int(row["first_month"]),
                last_month=int(row["last_month"]),
                language=row["language"],
                fates=tuple(int(percent) for percent in row["fates"].split()),
            )
            for row in csv.DictReader(file)
        )


ORIGINS = _read_origins()


@cache
def origin_by_slug(slug: str) -> LeadOrigin:
    """Return the source with this slug. Raises `StopIteration` for an unknown slug."""
    return next(origin for origin in ORIGINS if origin.slug == slug)


@cache
def origins_in_month(month: int) -> tuple[LeadOrigin, ...]:
    """Return the sources that send leads in the month with this number."""
    return tuple(origin for origin in ORIGINS if origin.is_used_in(month))

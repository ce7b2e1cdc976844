"""Where Lindenfield's leads come from: a dozen ways, each with its volume, price and people."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HISTORY_MONTHS = 18  # of history; a source may begin later or end sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOrigin:
    """One source as the company uses it. Months are counted from the beginning of history."""

    slug: str
    adapter: str
    name: str
    share: int  # of all leads, beside the shares of the others
    cost_cents: int  # a lead, where the vendor charges by the lead
    ads_cents: int  # a month, where the visitors are paid for
    first_month: int
    last_month: int  # exclusive
    language: str  # of everybody who comes this way; "" is mixed
    fates: tuple[int, ...]  # of a hundred leads, in the order of `stories.Fate`

    def is_used_in(self, month: int) -> bool:
        """Whether leads come this way in the month with this number."""
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
                fates=tuple(int(one) for one in row["fates"].split()),
            )
            for row in csv.DictReader(file)
        )


ORIGINS = _read_origins()


@cache
def origin_by_slug(slug: str) -> LeadOrigin:
    """The source of this name. Raises `StopIteration` for one that is none of ours."""
    return next(origin for origin in ORIGINS if origin.slug == slug)


@cache
def origins_in_month(month: int) -> tuple[LeadOrigin, ...]:
    """The sources that send leads in the month with this number."""
    return tuple(origin for origin in ORIGINS if origin.is_used_in(month))

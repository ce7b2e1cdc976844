"""The loan officer's month to date: funded loans, loans in process, and speed to lead."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.timezone import localtime

from rooftree.db.statements import query_dicts
from rooftree.org.models import LoanOfficer

MAX_NAMED_SOURCES = 3  # sources named in the bar; the others are added up

# Count the officer's loans, and measure speed to lead over this month's leads.
FIGURES_SQL = """
select loans.*, tried.*, (select coalesce(json_agg(source_total), '[]') from (
           select source.name, count(*) as funded
             from loan join lead on lead.id = loan.lead_id join source on source.id = lead.source_id
            where loan.officer_id = %(officer)s and loan.funded_date >= %(first)s
            group by source.name order by 2 desc, 1) source_total)::text as by_source
  from (select count(*) filter (where funded_date >= %(first)s) as funded,
               coalesce(sum(amount_cents) filter (where funded_date >= %(first)s), 0)::bigint
                   as funded_cents,
               count(*) filter (where funded_date is null and final_outcome = '') as in_process,
               count(*) filter (where application_date >= %(first)s) as applications,
               count(*) filter (where application_date >= %(first)s and funded_date is not null)
                   as funded_applications
          from loan where officer_id = %(officer)s) loans,
       (select percentile_cont(0.5) within group
                   (order by extract(epoch from first_attempt_at - created_at)) as speed_seconds,
               count(*) as attempted_leads
          from lead where officer_id = %(officer)s
           and created_at >= %(start)s and first_attempt_at is not null) tried
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """One source's segment of the bar; `x` and `width` are percent of the bar's length."""

    name: str
    funded: int
    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerMonth:
    """The month's figures, each with its denominator."""

    name: str
    funded: int
    funded_cents: int
    in_process: int
    applications: int
    funded_applications: int  # those applications that have funded by now
    speed_seconds: float | None
    attempted_leads: int  # leads behind the median, each with a first attempt
    source_shares: list[SourceShare]


def load_officer_month(officer: LoanOfficer, at: datetime) -> OfficerMonth:
    """Load the figures from the first of the month through `at`, in one SQL statement.

    The month begins at midnight in the active time zone, which is the officer's.
    """
    start = localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    params: dict[str, UUID | date | datetime] = {
        "officer": officer.pk,
        "first": start.date(),
        "start": start,
    }
    (figures,) = query_dicts(FIGURES_SQL, params)
    by_source = figures.pop("by_source")
    return OfficerMonth(
        name=f"{start:%B}",
        source_shares=_source_shares(json.loads(by_source)),
        **figures,
    )


def _source_shares(rows: list[dict[str, Any]]) -> list[SourceShare]:
    total = sum(row["funded"] for row in rows)
    named = [(row["name"], row["funded"]) for row in rows[: MAX_NAMED_SOURCES - 1]]
    rest = total - sum(funded for _, funded in named)
    if rest:
        last = MAX_NAMED_SOURCES - 1
        named.append((rows[last]["name"] if len(rows) == MAX_NAMED_SOURCES else "Other", rest))
    shares, x = [], 0.0
    for (name, funded), tone in zip(named, ("", "2", "q"), strict=False):
        width = funded / total * 100
        shares.append(
            SourceShare(name=name, funded=funded, x=round(x, 2), width=round(width, 2), tone=tone)
        )
        x += width
    return shares

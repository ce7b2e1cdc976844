"""An officer's own month: what funded, what is on its way, how fast the first call was."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.timezone import localtime

from rooftree.org.models import LoanOfficer

MAX_NAMED_SOURCES = 3  # sources by name in the bar; the rest together

# What is counted of the officer's loans, and of the leads that came this month.
FIGURES_SQL = """
select loans.*, tried.*, (select coalesce(json_agg(one), '[]') from (
           select source.name, count(*) as funded
             from loan join lead on lead.id = loan.lead_id join source on source.id = lead.source_id
            where loan.officer_id = %(officer)s and loan.funded_date >= %(first)s
            group by source.name order by 2 desc, 1) one)::text as by_source
  from (select count(*) filter (where funded_date >= %(first)s) as funded,
               coalesce(sum(amount_cents) filter (where funded_date >= %(first)s), 0)::bigint
                   as funded_cents,
               count(*) filter (where funded_date is null and ended_as = '') as in_process,
               count(*) filter (where application_date >= %(first)s) as applications,
               count(*) filter (where application_date >= %(first)s and funded_date is not null)
                   as pulled
          from loan where officer_id = %(officer)s) loans,
       (select percentile_cont(0.5) within group
                   (order by extract(epoch from first_attempt_at - created_at)) as speed_seconds,
               count(*) as tried
          from lead where officer_id = %(officer)s
           and created_at >= %(start)s and first_attempt_at is not null) tried
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """One source's piece of the bar, in hundredths of its length."""

    name: str
    funded: int
    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerMonth:
    """The figures, each with its denominator."""

    name: str
    funded: int
    funded_cents: int
    in_process: int
    applications: int
    pulled: int  # of those applications, funded by now
    speed_seconds: float | None
    tried: int  # leads behind the median
    parts: list[SourceShare]


def load_officer_month(officer: LoanOfficer, at: datetime) -> OfficerMonth:
    """From the first of the month, by the officer's clock, through `at`. One statement."""
    start = localtime(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    asked = {"officer": officer.pk, "first": start.date(), "start": start}
    with connection.cursor() as cursor:
        cursor.execute(FIGURES_SQL, asked)
        *figures, by_source = cursor.fetchone()
        names = [column.name for column in cursor.description[:-1]]
    return OfficerMonth(
        name=f"{start:%B}",
        parts=_source_shares(json.loads(by_source)),
        **dict(zip(names, figures, strict=True)),
    )


def _source_shares(rows: list[dict[str, Any]]) -> list[SourceShare]:
    total = sum(row["funded"] for row in rows)
    named = [(row["name"], row["funded"]) for row in rows[: MAX_NAMED_SOURCES - 1]]
    rest = total - sum(funded for _, funded in named)
    if rest:
        named.append(
            (
                rows[MAX_NAMED_SOURCES - 1]["name"] if len(rows) == MAX_NAMED_SOURCES else "Others",
                rest,
            )
        )
    made, x = [], 0.0
    for (name, funded), tone in zip(named, ("", "2", "q"), strict=False):
        width = funded / total * 100
        made.append(
            SourceShare(name=name, funded=funded, x=round(x, 2), width=round(width, 2), tone=tone)
        )
        x += width
    return made

"""The statements of a report: its sums, its payback days, and the records behind a figure.

All three read the same facts, so a figure and its records cannot differ.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models.expressions import RawSQL

from rooftree.db.statements import query_rows
from rooftree.reporting.first_screen.speed_to_lead import BUCKET_BOUNDS
from rooftree.reporting.reports.dimensions import (
    DIMENSIONS,
    NOT_ATTRIBUTABLE,
    NOT_STATED,
    entry_value_sql,
    lead_value_sql,
)

APPROVED_RANK, CLEARED_RANK = 70, 90  # conditional approval, clear to close

_DAY = "({} at time zone %(zone)s)::date"
_WAIT = "greatest(extract(epoch from lead.first_attempt_at - lead.created_at), 0)::float8"
# Sources of another system's records, and of lists of past clients: nobody arrived on that day.
_IMPORTED = "(select id from source where adapter like 'crm_%%' or setup->>'people' = 'clients')"

_LEAD_FACTS = f"""
select {{values}}, step.measure, step.bucket, 1::bigint as amount,
       step.at >= %(start_at)s as is_now, {{day}} as on_day, lead.id as record_id
  from lead {{joins}}
 cross join lateral (values
   ('leads', lead.created_at, 0),
   ('attempted', lead.first_attempt_at, width_bucket({_WAIT}, array{BUCKET_BOUNDS}::float8[])),
   ('talked', lead.first_conversation_at, 0)) as step (measure, at, bucket)
 where not lead.is_test and step.at is not null and lead.source_id not in {_IMPORTED}
   and {{range}} and {{scope}}
"""  # noqa: S608

# A funded loan passed every step before, whatever its LOS reported. A loan counts as an
# application as on Home: it has an application date, or it funded.
_LOAN_FACTS = f"""
select {{values}}, step.measure, 0, step.amount, {{is_now}}, step.on_day, loan.id
  from lead join loan on loan.lead_id = lead.id {{joins}}
  left join lateral (
    select min(day) filter (where rank >= {APPROVED_RANK}) as approved_on,
           min(day) filter (where rank >= {CLEARED_RANK}) as cleared_on
      from (select rank, coalesce(on_date, {_DAY.format("reached_at")}) as day
              from milestone where milestone.loan_id = loan.id and not is_return) passed
  ) passed on true
 cross join lateral (
   select coalesce(loan.application_date, loan.funded_date) as applied_on) applied
 cross join lateral (values
   ('applications', applied_on, 1::bigint),
   ('approved', case when applied_on is not null
                     then coalesce(approved_on, loan.funded_date) end, 1),
   ('cleared', case when applied_on is not null
                    then coalesce(cleared_on, loan.funded_date) end, 1),
   ('funded', loan.funded_date, 1),
   ('volume_cents', loan.funded_date, coalesce(loan.amount_cents, 0))
 ) as step (measure, on_day, amount)
 where not lead.is_test and step.on_day is not null and {{not_imported}} and {{range}} and {{scope}}
"""  # noqa: S608

_ENTRY_FACTS = """
select {values},
       case when entry.kind in ('cost', 'credit') then 'spend_cents' else 'revenue_cents' end, 0,
       case when entry.kind in ('credit', 'reversal') then -entry.amount_cents
            else entry.amount_cents end,
       {is_now}, entry.on_date, entry.id
  from money_entry entry left join lead on lead.id = entry.lead_id {joins}
 where lead.is_test is not true and {not_imported} and {range} and {scope}
"""


class ReportFacts:
    """The facts of one report as SQL, with their parameters.

    Args:
        dimensions: the keys to group by.
        filters: a value by dimension key; of a branch, all branches below it too.
        is_by_event: count what happened in the period; else count what became of its arrivals.
        scope: SQL on `lead` that limits what the reader's report covers.
    """

    def __init__(
        self,
        *,
        dimensions: Sequence[str],
        filters: Mapping[str, str],
        is_by_event: bool,
        scope: str,
        params: Mapping[str, Any],
    ) -> None:
        self.dimensions = dimensions
        self.filters = filters
        self.is_by_event = is_by_event
        self.scope = scope
        self.params = {**params, **{f"filter_{key}": value for key, value in filters.items()}}

    @property
    def columns(self) -> str:
        """The columns that hold the dimensions' values."""
        return ", ".join(f"d{n}" for n in range(len(self.dimensions)))

    @property
    def leads(self) -> str:
        """One row for each lead's arrival, first attempt and first conversation."""
        column = "step.at" if self.is_by_event else "lead.created_at"
        text = _LEAD_FACTS.format(
            values=self._values(is_entry=False), joins=self._joins(), scope=self._where(False),
            day=_DAY.format("step.at"), range=_in_range(column),
        )  # fmt: skip
        if not self.is_by_event:
            text = text.replace("step.at >= %(start_at)s", "lead.created_at >= %(start_at)s")
        return text

    @property
    def loans(self) -> str:
        """One row for each step of a loan."""
        return self._dated(_LOAN_FACTS, day="step.on_day", source="lead.source_id", is_entry=False)

    @property
    def entries(self) -> str:
        """One row for each entry of the ledgers."""
        source = "case when entry.kind in ('cost', 'credit') or lead.id is null"
        source += " then entry.source_id else lead.source_id end"
        return self._dated(_ENTRY_FACTS, day="entry.on_date", source=source, is_entry=True)

    def _dated(self, template: str, *, day: str, source: str, is_entry: bool) -> str:
        if self.is_by_event:
            is_now, span, not_imported = f"{day} >= %(start)s", _days_in_range(day), "true"
        else:
            # An entry that no lead carries is of the cohort of its own day.
            leadless = f"lead.id is null and {day} >= %(start)s"
            is_now = f"coalesce(lead.created_at >= %(start_at)s, {leadless})"
            span = _in_range("lead.created_at")
            if is_entry:
                span = f"({span} or lead.id is null and {_days_in_range(day)})"
            not_imported = f"{source} not in {_IMPORTED}"
        return template.format(
            values=self._values(is_entry=is_entry), joins=self._joins(), is_now=is_now,
            not_imported=not_imported, range=span, scope=self._where(is_entry),
        )  # fmt: skip

    def _values(self, *, is_entry: bool) -> str:
        value_sql = entry_value_sql if is_entry else lead_value_sql
        return ", ".join(f"{value_sql(key)} as d{n}" for n, key in enumerate(self.dimensions))

    def _joins(self) -> str:
        joins = (DIMENSIONS[key].join for key in (*self.dimensions, *self.filters))
        return " ".join(dict.fromkeys(filter(None, joins)))

    def _where(self, is_entry: bool) -> str:
        value_sql = entry_value_sql if is_entry else lead_value_sql
        parts = [self.scope]
        for key, value in self.filters.items():
            if key == "branch" and value not in (NOT_STATED, NOT_ATTRIBUTABLE):
                parts.append(
                    "lead.branch_id in (select id from branch"
                    " where strpos(path, %(filter_branch)s) > 0)"
                )
            else:
                parts.append(f"{value_sql(key)} = %(filter_{key})s")
        return " and ".join(parts)


def load_sums(facts: ReportFacts) -> list[tuple[Any, ...]]:
    """Return rows of the dimensions' values, measure, bucket, is_now and amount."""
    columns = facts.columns
    query = (
        f"select {columns}, measure, bucket, is_now, sum(amount)::bigint from ("  # noqa: S608
        f"{facts.leads} union all {facts.loans} union all {facts.entries}) fact"
        f" group by {columns}, measure, bucket, is_now"
    )
    return query_rows(query, facts.params)


def load_money_by_day(facts: ReportFacts) -> list[tuple[Any, ...]]:
    """Return rows of the first dimension's value, day, spend and revenue of this period."""
    query = (
        "select d0, on_date, sum(amount) filter (where measure = 'spend_cents')::bigint,"  # noqa: S608
        " sum(amount) filter (where measure = 'revenue_cents')::bigint"
        f" from ({facts.entries}) fact (d0, measure, bucket, amount, is_now, on_date, record_id)"
        " where is_now group by 1, 2 order by 2"
    )
    return query_rows(query, facts.params)


def record_ids(facts: ReportFacts, measures: Sequence[str]) -> RawSQL:
    """Return a subquery of the ids of the leads, loans or entries that a figure counts."""
    kind = {"leads": facts.leads, "attempted": facts.leads, "talked": facts.leads}
    kind |= {"spend_cents": facts.entries, "revenue_cents": facts.entries}
    query = (
        f"select record_id from ({kind.get(measures[0], facts.loans)})"  # noqa: S608
        f" fact ({facts.columns}, measure, bucket, amount, is_now, on_date, record_id)"
        " where is_now and measure = any(%(measures)s)"
    )
    params: list[Any] = []
    named = {**facts.params, "measures": list(measures)}

    def place(match: re.Match[str]) -> str:
        params.append(named[match[1]])
        return "%s"

    return RawSQL(re.sub(r"%\((\w+)\)s", place, query), params)  # noqa: S611


def _in_range(column: str) -> str:
    return f"{column} >= %(before_at)s and {column} < %(until_at)s"


def _days_in_range(day: str) -> str:
    return f"{day} >= %(before)s and {day} < %(until)s"

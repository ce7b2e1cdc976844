"""Recount of all report sums from scratch, to check or replace the running sums."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from rooftree.db.statements import execute, query_rows
from rooftree.reporting.models import MonthRollup, Rollup, RollupDelta
from rooftree.reporting.rollups import fold_rollups, rollup_deltas
from rooftree.reporting.rollups.metric_definitions import (
    LEADLESS_ENTRIES_SQL,
    MEASURE_SQL,
    ROLLUP_KEY,
)

_LEADLESS_SUMS_SQL = f"select {ROLLUP_KEY}, amount from ({LEADLESS_ENTRIES_SQL}) lump"  # noqa: S608
_TRUE_SUMS_SQL = " union all ".join([*MEASURE_SQL.values(), _LEADLESS_SUMS_SQL])

# Compare the sums by month with those by day, which are compared with the tables.
_MONTH_DIFFERENCES_SQL = f"""
select arrival_month, null::date, {fold_rollups.KEY_WITHOUT_DATES},
       sum(counted)::bigint, sum(actual)::bigint
  from (select {fold_rollups.MONTH_KEY}, amount as counted, 0 as actual from month_rollup
         union all
        select date_trunc('month', arrival_date)::date, {fold_rollups.KEY_WITHOUT_DATES}, 0, amount
          from rollup) both_counts
 group by {fold_rollups.MONTH_KEY} having sum(counted) <> sum(actual) limit %s
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class SumDifference:
    """One sum that differs from a count of the tables."""

    key: tuple[Any, ...]  # in the order of ROLLUP_KEY
    counted: int
    actual: int


def find_differences(*, limit: int = 100) -> list[SumDifference]:
    """Find the sums that differ from a count of the tables, in one snapshot."""
    query = f"""
    select {ROLLUP_KEY}, coalesce(sum(counted), 0)::bigint, coalesce(sum(actual), 0)::bigint
      from (select {ROLLUP_KEY}, amount as counted, 0 as actual from {fold_rollups.CURRENT_SUMS}
             union all
            select {ROLLUP_KEY}, 0, amount from ({_TRUE_SUMS_SQL}) truth) both_counts
     group by {ROLLUP_KEY} having sum(counted) <> sum(actual) limit %s
    """  # noqa: S608
    rows = query_rows(query, [limit])
    rows += query_rows(_MONTH_DIFFERENCES_SQL, [limit])
    return [
        SumDifference(key=tuple(key), counted=counted, actual=actual)
        for *key, counted, actual in rows
    ]


def rebuild_all(*, at: datetime) -> int:
    """Delete all sums and count again; return the number of leads.

    Needed after a change of the company's zone or of the bucket bounds. Counting elsewhere waits:
    the tables are locked until the rebuild is done.
    """
    with transaction.atomic():
        execute("lock table rollup_delta, rollup, month_rollup in exclusive mode")
        RollupDelta.objects.all().delete()
        Rollup.objects.all().delete()
        MonthRollup.objects.all().delete()
        lead_ids = [
            row[0] for row in query_rows("select id from lead where not is_test order by id")
        ]
        for lead_id in lead_ids:
            rollup_deltas.append_missing_deltas(lead_id)
        rollup_deltas.count_leadless_entries(
            [row[0] for row in query_rows("select id from money_entry where lead_id is null")]
        )
        while fold_rollups.fold_deltas(at=at).deltas:
            pass
    return len(lead_ids)

"""Counting everything from nothing: the measure of whether the running sums are right."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from rooftree.reporting import count, fold
from rooftree.reporting.models import Delta, MonthRollup, Rollup
from rooftree.reporting.truth import KEY, LUMPS, PARTS

_TRUTH = " union all ".join([*PARTS.values(), f"select {KEY}, amount from ({LUMPS}) lump"])  # noqa: S608

# The sums by month against those by day, which are held against the tables.
_MONTHS_APART = f"""
select arrival_month, null::date, {fold.REST}, sum(counted)::bigint, sum(actual)::bigint
  from (select {fold.MONTH_KEY}, amount as counted, 0 as actual from month_rollup
         union all
        select date_trunc('month', arrival_date)::date, {fold.REST}, 0, amount
          from rollup) both_counts
 group by {fold.MONTH_KEY} having sum(counted) <> sum(actual) limit %s
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One sum that is not what the tables say."""

    key: tuple[Any, ...]  # in the order of truth.KEY
    counted: int
    true: int


def differences(*, limit: int = 100) -> list[Difference]:
    """Every sum that differs from a count of the tables, in one snapshot."""
    query = f"""
    select {KEY}, coalesce(sum(counted), 0)::bigint, coalesce(sum(actual), 0)::bigint
      from (select {KEY}, amount as counted, 0 as actual from {fold.NOW}
             union all
            select {KEY}, 0, amount from ({_TRUTH}) truth) both_counts
     group by {KEY} having sum(counted) <> sum(actual) limit %s
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [limit])
        rows = cursor.fetchall()
        cursor.execute(_MONTHS_APART, [limit])
        rows += cursor.fetchall()
    return [Difference(key=tuple(key), counted=c, true=t) for *key, c, t in rows]


def rebuild(*, at: datetime) -> int:
    """Throw the sums away and count anew, as after a change of zone or scale; how many leads.

    Nothing may be counted meanwhile: the tables are locked until it is done.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("lock table delta, rollup, month_rollup in exclusive mode")
        Delta.objects.all().delete()
        Rollup.objects.all().delete()
        MonthRollup.objects.all().delete()
        cursor.execute("select id from lead where not is_test order by id")
        leads = [row[0] for row in cursor.fetchall()]
        for lead_id in leads:
            count.settle(lead_id)
        cursor.execute("select id from money_entry where lead_id is null")
        count.lumps([row[0] for row in cursor.fetchall()])
        while fold.fold(at=at).deltas:
            pass
    return len(leads)

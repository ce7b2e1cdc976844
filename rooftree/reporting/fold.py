"""Folding deltas into rollups, exactly once, while others append."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from rooftree.reporting.truth import KEY

_MUTEX = 0x726F_6F66_0002  # of the advisory lock; only compactors use it

REST = "source_id, branch_id, measure, bucket"
MONTH_KEY = f"arrival_month, {REST}"

# One statement: a reader sees each delta either unfolded or in its rollup, never both or neither.
_FOLD = f"""
with mine as (
  update delta set folded_at = %(at)s
   where id in (select id from delta where folded_at is null limit %(limit)s)
  returning {KEY}, amount
), sums as (
  select {KEY}, sum(amount)::bigint as amount from mine group by {KEY}
), added as (
  insert into rollup (id, {KEY}, amount)
  select gen_random_uuid(), {KEY}, amount from sums
  on conflict ({KEY}) do update set amount = rollup.amount + excluded.amount
  returning 1
), months as (
  insert into month_rollup (id, {MONTH_KEY}, amount)
  select gen_random_uuid(), date_trunc('month', arrival_date)::date, {REST}, sum(amount)
    from sums group by date_trunc('month', arrival_date), {REST}
  on conflict ({MONTH_KEY}) do update set amount = month_rollup.amount + excluded.amount
)
select (select count(*) from mine), (select count(*) from added)
"""  # noqa: S608

# What a report reads: the sums and what is not in them yet, in one snapshot.
NOW = f"""
(select {KEY}, amount from rollup
  union all
 select {KEY}, amount from delta where folded_at is null) fact
"""  # noqa: S608

BY_MONTH = f"""
(select {MONTH_KEY}, amount from month_rollup
  union all
 select date_trunc('month', arrival_date)::date, {REST}, amount
   from delta where folded_at is null) fact
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """How many deltas went into how many rollups."""

    deltas: int
    rollups: int


def fold(*, at: datetime, limit: int = 5000) -> Folded:
    """Fold up to `limit` deltas; nothing when another compactor is at work."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_MUTEX])
        if not cursor.fetchone()[0]:
            return Folded(deltas=0, rollups=0)
        cursor.execute(_FOLD, {"at": at, "limit": limit})
        deltas, rollups = cursor.fetchone()
    return Folded(deltas=deltas, rollups=rollups)

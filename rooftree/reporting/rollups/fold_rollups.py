"""Fold deltas into rollups exactly once, while other transactions append."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from rooftree.db.statements import query_row
from rooftree.reporting.rollups.metric_definitions import ROLLUP_KEY

_LOCK_KEY = 0x726F_6F66_0002  # advisory lock, used only by fold_deltas

KEY_WITHOUT_DATES = "source_id, branch_id, measure, bucket"
MONTH_KEY = f"arrival_month, {KEY_WITHOUT_DATES}"

# One statement: a reader sees each delta either unfolded or in its rollup, never both or neither.
_FOLD_SQL = f"""
with mine as (
  update rollup_delta set folded_at = %(at)s
   where id in (select id from rollup_delta where folded_at is null limit %(limit)s)
  returning {ROLLUP_KEY}, amount
), sums as (
  select {ROLLUP_KEY}, sum(amount)::bigint as amount from mine group by {ROLLUP_KEY}
), added as (
  insert into rollup (id, {ROLLUP_KEY}, amount)
  select gen_random_uuid(), {ROLLUP_KEY}, amount from sums
  on conflict ({ROLLUP_KEY}) do update set amount = rollup.amount + excluded.amount
  returning 1
), months as (
  insert into month_rollup (id, {MONTH_KEY}, amount)
  select gen_random_uuid(), date_trunc('month', arrival_date)::date, {KEY_WITHOUT_DATES},
         sum(amount)
    from sums group by date_trunc('month', arrival_date), {KEY_WITHOUT_DATES}
  on conflict ({MONTH_KEY}) do update set amount = month_rollup.amount + excluded.amount
)
select (select count(*) from mine), (select count(*) from added)
"""  # noqa: S608

# Reports read this: folded sums and unfolded deltas, in one snapshot.
CURRENT_SUMS = f"""
(select {ROLLUP_KEY}, amount from rollup
  union all
 select {ROLLUP_KEY}, amount from rollup_delta where folded_at is null) fact
"""  # noqa: S608

CURRENT_SUMS_BY_MONTH = f"""
(select {MONTH_KEY}, amount from month_rollup
  union all
 select date_trunc('month', arrival_date)::date, {KEY_WITHOUT_DATES}, amount
   from rollup_delta where folded_at is null) fact
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """The number of deltas folded, and of rollups they went into."""

    deltas: int
    rollups: int


def fold_deltas(*, at: datetime, limit: int = 5000) -> FoldResult:
    """Fold up to `limit` deltas; do nothing while another process folds."""
    with transaction.atomic():
        if not query_row("select pg_try_advisory_xact_lock(%s)", [_LOCK_KEY])[0]:
            return FoldResult(deltas=0, rollups=0)
        deltas, rollups = query_row(_FOLD_SQL, {"at": at, "limit": limit})
    return FoldResult(deltas=deltas, rollups=rollups)

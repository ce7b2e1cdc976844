"""SQL definition of the amounts that each lead adds to the report sums.

This is the only definition: `rollup_deltas` compares it with the counted amounts, and
`rebuild_rollups` counts it from scratch. `docs/how-counted.md` describes it in words.
"""

from rooftree.money.company_day import DEFAULT_ZONE
from rooftree.reporting.first_screen.speed_to_lead import BUCKET_BOUNDS

ROLLUP_KEY = "arrival_date, event_date, source_id, branch_id, measure, bucket"

# Days are in the company's zone. A bound is the first second of the next bucket.
_ZONE = f"coalesce((select zone from company limit 1), '{DEFAULT_ZONE}')"  # noqa: S608
_DAY = "({} at time zone " + _ZONE + ")::date"
_ARRIVAL = _DAY.format("lead.created_at")
_WAITED = "greatest(extract(epoch from lead.first_attempt_at - lead.created_at), 0)::float8"
_BUCKET = f"width_bucket({_WAITED}, array{BUCKET_BOUNDS}::float8[])"

_LEAD_SQL = """
select {arrival} as arrival_date, {event} as event_date,
       {source} as source_id, lead.branch_id,
       '{measure}' as measure, {bucket} as bucket, {amount} as amount
  from lead {join}
 where not lead.is_test and {when}
"""


def _measure_sql(measure: str, **clauses: str) -> str:
    defaults = {
        "arrival": _ARRIVAL,
        "event": _ARRIVAL,
        "source": "lead.source_id",
        "bucket": "0",
        "amount": "1",
        "join": "",
        "when": "true",
    }
    return _LEAD_SQL.format(**{**defaults, "measure": measure, **clauses})


_JOIN_LOAN = "join loan on loan.lead_id = lead.id"
_JOIN_ENTRY = "join money_entry entry on entry.lead_id = lead.id"

# A funded loan counts as an application, even without an application date. A repeat inquiry costs
# the source that sent it; a loan's revenue belongs to the lead's first source.
MEASURE_SQL = {
    "leads": _measure_sql("leads"),
    "attempted": _measure_sql(
        "attempted",
        event=_DAY.format("lead.first_attempt_at"),
        bucket=_BUCKET,
        when="lead.first_attempt_at is not null",
    ),
    "talked": _measure_sql(
        "talked",
        event=_DAY.format("lead.first_conversation_at"),
        when="lead.first_conversation_at is not null",
    ),
    "applications": _measure_sql(
        "applications",
        event="coalesce(loan.application_date, loan.funded_date)",
        join=_JOIN_LOAN,
        when="(loan.application_date is not null or loan.funded_date is not null)",
    ),
    "funded": _measure_sql(
        "funded", event="loan.funded_date", join=_JOIN_LOAN, when="loan.funded_date is not null"
    ),
    "amount_cents": _measure_sql(
        "amount_cents",
        event="loan.funded_date",
        amount="coalesce(loan.amount_cents, 0)",
        join=_JOIN_LOAN,
        when="loan.funded_date is not null",
    ),
    "spend_cents": _measure_sql(
        "spend_cents",
        event="entry.on_date",
        source="entry.source_id",
        amount="case entry.kind when 'credit' then -entry.amount_cents else entry.amount_cents end",
        join=_JOIN_ENTRY,
        when="entry.kind in ('cost', 'credit')",
    ),
    "revenue_cents": _measure_sql(
        "revenue_cents",
        event="entry.on_date",
        amount="case entry.kind when 'reversal' then -entry.amount_cents "
        "else entry.amount_cents end",
        join=_JOIN_ENTRY,
        when="entry.kind in ('revenue', 'reversal')",
    ),
}

# An entry without a lead counts for its source, with its own day as the arrival date.
LEADLESS_ENTRIES_SQL = """
select id, on_date as arrival_date, on_date as event_date, source_id, null::uuid as branch_id,
       case when kind in ('cost', 'credit') then 'spend_cents' else 'revenue_cents' end as measure,
       0 as bucket,
       case when kind in ('credit', 'reversal') then -amount_cents else amount_cents end as amount
  from money_entry entry
 where lead_id is null
"""

"""Counting of a change in the transaction that makes it, by appending the difference.

Each function brings the sums of one lead up to date with the tables. Call it after the change;
a repeat appends nothing. When the branch, source or test flag of a lead changes, call
`recount_lead` to move its sums.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.core.uuid7 import uuid7
from rooftree.db.bulk_insert import insert_rows
from rooftree.db.statements import query_rows
from rooftree.leads.models import Lead, Loan
from rooftree.money.models import Entry
from rooftree.reporting.models import RollupDelta
from rooftree.reporting.rollups.metric_definitions import (
    LEADLESS_ENTRIES_SQL,
    MEASURE_SQL,
    ROLLUP_KEY,
)

KEY_COLUMNS = ROLLUP_KEY.split(", ")
ARRIVAL_MEASURES = ("leads", "spend_cents")
_ARRIVAL_SQL = f"""
select new_lead.id, {ROLLUP_KEY}, sum(amount)::bigint
  from unnest((select %s::uuid[])) as new_lead (id) cross join lateral ({{parts}}) moved
  group by new_lead.id, {ROLLUP_KEY} having sum(amount) <> 0
"""  # noqa: S608
_COUNTED_SQL = (
    f"select {ROLLUP_KEY}, -amount from rollup_delta "  # noqa: S608
    "where idempotency_key like '{lead}:{name}:%%'"
)


def count_lead(lead: Lead) -> None:
    """Count a new lead. Test leads are never counted."""
    append_missing_deltas(lead.pk, "leads")


def count_new_leads(leads: Sequence[Lead]) -> None:
    """Count leads created in this transaction, with the cost of their arrival.

    Nothing was counted for them before, so all their amounts are missing.
    """
    parts = " union all ".join(
        f"{MEASURE_SQL[measure]} and lead.id = new_lead.id" for measure in ARRIVAL_MEASURES
    )
    rows = query_rows(_ARRIVAL_SQL.format(parts=parts), [[lead.pk for lead in leads]])
    insert_rows([_build_delta(row, prefix=str(lead_id)) for lead_id, *row in rows])


def count_touch(lead: Lead, *, cost: Entry | None) -> None:
    """Count one arrival of a lead: the lead if it is new, and the cost of the arrival."""
    append_missing_deltas(lead.pk, "leads", *(["spend_cents"] if cost else []))


def count_attempt(lead: Lead) -> None:
    """Count the lead's wait for the first attempt by staff, and its first talk."""
    append_missing_deltas(lead.pk, "attempted", "talked")


def count_application(loan: Loan) -> None:
    """Count a loan's application."""
    append_missing_deltas(loan.lead_id, "applications")


def count_funding(loan: Loan) -> None:
    """Count a loan's funding, its amount, and its application."""
    append_missing_deltas(loan.lead_id, "applications", "funded", "amount_cents")


def count_cost(entry: Entry) -> None:
    """Count a booked cost or credit."""
    _count_entry(entry, "spend_cents")


def count_revenue(entry: Entry) -> None:
    """Count booked revenue or its reversal."""
    _count_entry(entry, "revenue_cents")


def recount_lead(lead: Lead) -> None:
    """Move all sums of a lead to its current branch and source; to none for a test lead."""
    append_missing_deltas(lead.pk)


def append_missing_deltas(lead_id: UUID, *measures: str) -> int:
    """Append the amounts missing from the sums of a lead; return the number of deltas.

    Args:
        measures: keys of `MEASURE_SQL` to check; none means all.

    Locks the lead's row first, so of two concurrent transactions the second sees the deltas of
    the first.
    """
    names = measures or tuple(MEASURE_SQL)
    with transaction.atomic(savepoint=False):
        Lead.objects.select_for_update(no_key=True).values_list("id").get(pk=lead_id)
        rows = _missing_amounts(lead_id, names)
        insert_rows([_build_delta(row, prefix=str(lead_id)) for row in rows])
    return len(rows)


def _missing_amounts(lead_id: UUID, names: Iterable[str]) -> list[tuple[Any, ...]]:
    """Return the difference between the tables and the counted amounts of a lead, by key."""
    parts = [f"{MEASURE_SQL[name]} and lead.id = %(lead)s" for name in names]
    counted = [_COUNTED_SQL.format(lead=lead_id, name=name) for name in names]
    amounts = " union all ".join([*parts, *counted])
    query = (
        f"select {ROLLUP_KEY}, sum(amount)::bigint from ({amounts}) moved "  # noqa: S608
        f"group by {ROLLUP_KEY} having sum(amount) <> 0"
    )
    return query_rows(query, {"lead": lead_id})


def _build_delta(row: Sequence[Any], *, prefix: str) -> RollupDelta:
    *names, amount = row
    key, columns = uuid7(), dict(zip(KEY_COLUMNS, names, strict=True))
    cause = f"{prefix}:{columns['measure']}:{key.hex}"
    return RollupDelta(id=key, idempotency_key=cause, amount=amount, **columns)


def count_leadless_entries(entry_ids: Iterable[UUID]) -> None:
    """Count entries without a lead, such as the monthly fee of a source."""
    query = f"select id, {ROLLUP_KEY}, amount from ({LEADLESS_ENTRIES_SQL} and id = any(%s)) lump"  # noqa: S608
    rows = query_rows(query, [list(entry_ids)])
    deltas = [
        RollupDelta(
            idempotency_key=f"entry:{key}",
            amount=amount,
            **dict(zip(KEY_COLUMNS, names, strict=True)),
        )
        for key, *names, amount in rows
    ]
    RollupDelta.objects.bulk_create(deltas, ignore_conflicts=True)


def _count_entry(entry: Entry, measure: str) -> None:
    if entry.lead_id:
        append_missing_deltas(entry.lead_id, measure)
    else:
        count_leadless_entries([entry.pk])

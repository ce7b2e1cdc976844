"""Counting a change in the transaction that makes it, by appending the difference it makes.

Each function brings the sums of one lead up to what the tables say now, so it
is called after the change, and asking twice appends nothing. A lead whose
branch, source or test flag changes takes its sums along: `lead_moved`.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rooftree.core.uuid7 import uuid7
from rooftree.db.bulk_insert import insert_rows
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
select made.id, {ROLLUP_KEY}, sum(amount)::bigint
  from unnest((select %s::uuid[])) as made (id) cross join lateral ({{parts}}) moved
 group by made.id, {ROLLUP_KEY} having sum(amount) <> 0
"""  # noqa: S608
_COUNTED_SQL = f"select {ROLLUP_KEY}, -amount from delta where cause like '{{lead}}:{{name}}:%%'"  # noqa: S608


def count_lead(lead: Lead) -> None:
    """Count a new lead. Test leads are never counted."""
    append_missing_deltas(lead.pk, "leads")


def count_new_leads(leads: Sequence[Lead]) -> None:
    """Count leads that this very transaction has made, with what their arrival cost.

    Nothing can have been counted for them, so what the tables say is what is missing.
    """
    parts = " union all ".join(
        f"{MEASURE_SQL[arrival_measure]} and lead.id = made.id"
        for arrival_measure in ARRIVAL_MEASURES
    )
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVAL_SQL.format(parts=parts), [[lead.pk for lead in leads]])
        rows = cursor.fetchall()
    insert_rows([_build_delta(row, prefix=str(lead_id)) for lead_id, *row in rows])


def count_touch(lead: Lead, *, cost: Entry | None) -> None:
    """Count one arrival of a lead at once: the lead when it is new, and what the arrival cost."""
    append_missing_deltas(lead.pk, "leads", *(["spend_cents"] if cost else []))


def count_attempt(lead: Lead) -> None:
    """Count how long the lead waited for a person's first attempt, and a first talk."""
    append_missing_deltas(lead.pk, "attempted", "talked")


def count_application(loan: Loan) -> None:
    """Count a loan's application."""
    append_missing_deltas(loan.lead_id, "applications")


def count_funding(loan: Loan) -> None:
    """Count a loan's funding, its amount, and the application it must have been."""
    append_missing_deltas(loan.lead_id, "applications", "funded", "amount_cents")


def count_cost(entry: Entry) -> None:
    """Count what was booked as a cost, or taken back of it."""
    _count_entry(entry, "spend_cents")


def count_revenue(entry: Entry) -> None:
    """Count what was booked as revenue, or given back of it."""
    _count_entry(entry, "revenue_cents")


def recount_lead(lead: Lead) -> None:
    """Take all sums of a lead to where it now belongs: its branch, source, or nowhere."""
    append_missing_deltas(lead.pk)


def append_missing_deltas(lead_id: UUID, *measures: str) -> int:
    """Append what is missing from the sums of a lead; how many differences there were.

    Args:
        measures: names of `truth.PARTS` to look at; none means all.

    The lead's row is locked first, as any change of it would: of two
    transactions at once the second sees what the first has counted.
    """
    names = measures or tuple(MEASURE_SQL)
    with transaction.atomic(savepoint=False):
        Lead.objects.select_for_update(no_key=True).values_list("id").get(pk=lead_id)
        rows = _missing_amounts(lead_id, names)
        _insert_deltas(rows, prefix=str(lead_id))
    return len(rows)


def _missing_amounts(lead_id: UUID, names: Iterable[str]) -> list[tuple[Any, ...]]:
    """The differences, by key, between the tables and what was counted for a lead."""
    parts = [f"{MEASURE_SQL[name]} and lead.id = %(lead)s" for name in names]
    counted = [_COUNTED_SQL.format(lead=lead_id, name=name) for name in names]
    amounts = " union all ".join([*parts, *counted])
    query = (
        f"select {ROLLUP_KEY}, sum(amount)::bigint from ({amounts}) moved "  # noqa: S608
        f"group by {ROLLUP_KEY} having sum(amount) <> 0"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, {"lead": lead_id})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _insert_deltas(rows: list[tuple[Any, ...]], *, prefix: str) -> None:
    insert_rows([_build_delta(row, prefix=prefix) for row in rows])


def _build_delta(row: Sequence[Any], *, prefix: str) -> RollupDelta:
    *names, amount = row
    key, columns = uuid7(), dict(zip(KEY_COLUMNS, names, strict=True))
    cause = f"{prefix}:{columns['measure']}:{key.hex}"
    return RollupDelta(id=key, cause=cause, amount=amount, **columns)


def count_leadless_entries(entry_ids: Iterable[UUID]) -> None:
    """Count entries that no lead carries, such as the monthly fee of a source."""
    query = f"select id, {ROLLUP_KEY}, amount from ({LEADLESS_ENTRIES_SQL} and id = any(%s)) lump"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [list(entry_ids)])
        rows = cursor.fetchall()
    deltas = [
        RollupDelta(
            cause=f"entry:{key}", amount=amount, **dict(zip(KEY_COLUMNS, names, strict=True))
        )
        for key, *names, amount in rows
    ]
    RollupDelta.objects.bulk_create(deltas, ignore_conflicts=True)


def _count_entry(entry: Entry, measure: str) -> None:
    if entry.lead_id:
        append_missing_deltas(entry.lead_id, measure)
    else:
        count_leadless_entries([entry.pk])

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
from rooftree.leads.models import Lead, Loan
from rooftree.money.models import Entry
from rooftree.org.insert import insert_all
from rooftree.reporting.models import Delta
from rooftree.reporting.truth import KEY, LUMPS, PARTS

COLUMNS = KEY.split(", ")
ON_ARRIVAL = ("leads", "spend_cents")
_ARRIVED = f"""
select made.id, {KEY}, sum(amount)::bigint
  from unnest((select %s::uuid[])) as made (id) cross join lateral ({{parts}}) moved
 group by made.id, {KEY} having sum(amount) <> 0
"""  # noqa: S608
_COUNTED = f"select {KEY}, -amount from delta where cause like '{{lead}}:{{name}}:%%'"  # noqa: S608


def lead_arrived(lead: Lead) -> None:
    """Count a new lead. Test leads are never counted."""
    settle(lead.pk, "leads")


def leads_arrived(leads: Sequence[Lead]) -> None:
    """Count leads that this very transaction has made, with what their arrival cost.

    Nothing can have been counted for them, so what the tables say is what is missing.
    """
    parts = " union all ".join(f"{PARTS[one]} and lead.id = made.id" for one in ON_ARRIVAL)
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVED.format(parts=parts), [[one.pk for one in leads]])
        rows = cursor.fetchall()
    insert_all([_delta(row, prefix=str(lead_id)) for lead_id, *row in rows])


def touch_arrived(lead: Lead, *, cost: Entry | None) -> None:
    """Count one arrival of a lead at once: the lead when it is new, and what the arrival cost."""
    settle(lead.pk, "leads", *(["spend_cents"] if cost else []))


def attempted(lead: Lead) -> None:
    """Count how long the lead waited for a person's first attempt, and a first talk."""
    settle(lead.pk, "attempted", "talked")


def application(loan: Loan) -> None:
    """Count a loan's application."""
    settle(loan.lead_id, "applications")


def funded(loan: Loan) -> None:
    """Count a loan's funding, its amount, and the application it must have been."""
    settle(loan.lead_id, "applications", "funded", "amount_cents")


def spend(entry: Entry) -> None:
    """Count what was booked as a cost, or taken back of it."""
    _entry(entry, "spend_cents")


def revenue(entry: Entry) -> None:
    """Count what was booked as revenue, or given back of it."""
    _entry(entry, "revenue_cents")


def lead_moved(lead: Lead) -> None:
    """Take all sums of a lead to where it now belongs: its branch, source, or nowhere."""
    settle(lead.pk)


def settle(lead_id: UUID, *measures: str) -> int:
    """Append what is missing from the sums of a lead; how many differences there were.

    Args:
        measures: names of `truth.PARTS` to look at; none means all.

    The lead's row is locked first, as any change of it would: of two
    transactions at once the second sees what the first has counted.
    """
    names = measures or tuple(PARTS)
    with transaction.atomic(savepoint=False):
        Lead.objects.select_for_update(no_key=True).values_list("id").get(pk=lead_id)
        rows = _missing(lead_id, names)
        _append(rows, prefix=str(lead_id))
    return len(rows)


def _missing(lead_id: UUID, names: Iterable[str]) -> list[tuple[Any, ...]]:
    """The differences, by key, between the tables and what was counted for a lead."""
    parts = [f"{PARTS[name]} and lead.id = %(lead)s" for name in names]
    counted = [_COUNTED.format(lead=lead_id, name=name) for name in names]
    query = (
        f"select {KEY}, sum(amount)::bigint from ({' union all '.join([*parts, *counted])}) moved "  # noqa: S608
        f"group by {KEY} having sum(amount) <> 0"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, {"lead": lead_id})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _append(rows: list[tuple[Any, ...]], *, prefix: str) -> None:
    insert_all([_delta(row, prefix=prefix) for row in rows])


def _delta(row: Sequence[Any], *, prefix: str) -> Delta:
    *names, amount = row
    key, columns = uuid7(), dict(zip(COLUMNS, names, strict=True))
    cause = f"{prefix}:{columns['measure']}:{key.hex}"
    return Delta(id=key, cause=cause, amount=amount, **columns)


def lumps(entry_ids: Iterable[UUID]) -> None:
    """Count entries that no lead carries, such as the monthly fee of a source."""
    query = f"select id, {KEY}, amount from ({LUMPS} and id = any(%s)) lump"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [list(entry_ids)])
        rows = cursor.fetchall()
    deltas = [
        Delta(cause=f"entry:{key}", amount=amount, **dict(zip(COLUMNS, names, strict=True)))
        for key, *names, amount in rows
    ]
    Delta.objects.bulk_create(deltas, ignore_conflicts=True)


def _entry(entry: Entry, measure: str) -> None:
    if entry.lead_id:
        settle(entry.lead_id, measure)
    else:
        lumps([entry.pk])

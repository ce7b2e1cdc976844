"""Books lead costs and loan revenue, each once; only another entry corrects an entry."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.canonical import Cost
from rooftree.leads.models import Touch
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import build_event, write_events
from rooftree.money.company_day import company_zone
from rooftree.money.models import Entry
from rooftree.org.models import User

OPPOSITE_KINDS = {"cost": "credit", "credit": "cost", "revenue": "reversal", "reversal": "revenue"}


class Booking(TypedDict):
    """The values of one entry.

    `amount_cents` is never negative: the kind (cost, credit, revenue,
    reversal) gives the direction. `on_date` is the company's day. `idempotency_key` is the
    idempotency key: `touch:<id>`, `loan:<id>:funded`, `invoice:<number>:<line>`.
    """

    kind: str
    amount_cents: int
    on_date: date
    source_id: UUID
    basis: str
    idempotency_key: str
    campaign_id: NotRequired[UUID | None]
    lead_id: NotRequired[UUID | None]
    loan_id: NotRequired[UUID | None]
    delivery_id: NotRequired[UUID | None]
    is_provisional: NotRequired[bool]


class ConflictingEntry(Exception):
    """The same cause was booked before with other values. The text is fit to show."""


def book_entry(*, by: User | None, at: datetime, **booking: Unpack[Booking]) -> Entry:
    """Book one amount; a repeat with the same cause returns the earlier entry.

    Raises `ConflictingEntry` if the earlier entry has another amount, kind or source:
    a booked entry stays, and `correct_entry` corrects it.
    """
    return _insert_entries([Entry(**booking, booked_by=by, booked_at=at)], by=by, at=at)[0]


def _insert_entries(entries: Sequence[Entry], *, by: User | None, at: datetime) -> list[Entry]:
    with transaction.atomic(savepoint=False):
        new_ids = insert_new_rows(entries)
        write_events(_booked_event(entry, by=by, at=at) for entry in entries if entry.pk in new_ids)
    return [entry if entry.pk in new_ids else _find_earlier_entry(entry) for entry in entries]


def _find_earlier_entry(entry: Entry) -> Entry:
    """Find the entry booked earlier for the same cause; raise `ConflictingEntry` if it differs."""
    earlier = Entry.objects.get(idempotency_key=entry.idempotency_key)
    if _compared_values(earlier) != _compared_values(entry):
        raise ConflictingEntry(
            f"{entry.idempotency_key} is already booked as a {earlier.kind} "
            f"of {earlier.amount_cents} cents. "
            f"Correct that entry instead."
        )
    return earlier


def book_touch_costs(
    arrived: Sequence[tuple[Cost | None, Touch]], *, at: datetime
) -> dict[UUID, Entry]:
    """Book the costs of touches; return entries by touch id, without free and test leads.

    The price is the one the delivery states, otherwise the source's. A repeat
    inquiry costs again, as vendors charge it; a vendor's refund comes as a credit.
    """
    zone = company_zone()
    costs = {
        touch.pk: _build_cost_entry(cost, touch, amount_cents, zone, at)
        for cost, touch in arrived
        if not touch.lead.is_test
        and not (cost and cost.basis == "none")
        and (amount_cents := cost.amount_cents if cost else touch.source.cost_cents)
    }
    entries = _insert_entries([*costs.values()], by=None, at=at)
    return dict(zip(costs, entries, strict=True))


def _build_cost_entry(
    cost: Cost | None, touch: Touch, amount_cents: int, zone: ZoneInfo, at: datetime
) -> Entry:
    return Entry(
        kind="cost",
        amount_cents=amount_cents,
        on_date=touch.at.astimezone(zone).date(),
        source_id=touch.source_id,
        campaign_id=touch.campaign_id,
        lead_id=touch.lead_id,
        delivery_id=touch.delivery_id,
        basis=str(cost.basis) if cost else "source_terms",
        is_provisional=cost is not None and cost.provisional,
        idempotency_key=f"touch:{touch.pk}",
        booked_at=at,
    )


def correct_entry(
    wrong: Entry, *, amount_cents: int, on_date: date, by: User, at: datetime
) -> Entry:
    """Correct an entry by `amount_cents` with one of the opposite kind, once per entry.

    Raises `ConflictingEntry` if the amount exceeds the entry's, or if the entry was
    corrected by another amount before.
    """
    if amount_cents > wrong.amount_cents:
        raise ConflictingEntry("A correction can't exceed the booked amount.")
    return book_entry(
        kind=OPPOSITE_KINDS[wrong.kind],
        amount_cents=amount_cents,
        on_date=on_date,
        source_id=wrong.source_id,
        campaign_id=wrong.campaign_id,
        lead_id=wrong.lead_id,
        loan_id=wrong.loan_id,
        basis="correction",
        idempotency_key=f"correction:{wrong.pk}",
        by=by,
        at=at,
    )


def _compared_values(entry: Entry) -> tuple[str, int, UUID]:
    return entry.kind, entry.amount_cents, entry.source_id


def _booked_event(entry: Entry, *, by: User | None, at: datetime) -> Event:
    return build_event(
        "money.entry.booked",
        at=at,
        actor=f"user:{by.pk}" if by else "system:money",
        lead_id=entry.lead_id,
        entry_id=entry.pk,
        entry_kind=entry.kind,
        amount_cents=entry.amount_cents,
        source_id=entry.source_id,
        loan_id=entry.loan_id,
        cause=entry.idempotency_key,
    )

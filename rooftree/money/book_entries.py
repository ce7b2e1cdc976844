"""Booking what leads cost and what loans earned: once each, corrected only by another entry."""

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
    """What an entry says.

    `amount_cents` is never negative: the kind (cost, credit, revenue,
    reversal) gives the direction. `on_date` is the company's day. `cause` is
    what makes it once: `touch:<id>`, `loan:<id>:funded`, `invoice:<number>:<line>`.
    """

    kind: str
    amount_cents: int
    on_date: date
    source_id: UUID
    basis: str
    cause: str
    campaign_id: NotRequired[UUID | None]
    lead_id: NotRequired[UUID | None]
    loan_id: NotRequired[UUID | None]
    delivery_id: NotRequired[UUID | None]
    is_provisional: NotRequired[bool]


class ConflictingEntry(Exception):
    """The same cause was booked before with another amount. The text is fit to show."""


def book_entry(*, by: User | None, at: datetime, **booking: Unpack[Booking]) -> Entry:
    """Book one amount; asked again with the same cause it is the entry booked before.

    Raises `Contradiction` when that one says another amount, kind or source: what
    is booked stays, and `correct` is the way to change it.
    """
    return _insert_entries([Entry(**booking, booked_by=by, booked_at=at)], by=by, at=at)[0]


def _insert_entries(asked: Sequence[Entry], *, by: User | None, at: datetime) -> list[Entry]:
    with transaction.atomic(savepoint=False):
        made = insert_new_rows(asked)
        write_events(_booked_event(entry, by=by, at=at) for entry in asked if entry.pk in made)
    return [entry if entry.pk in made else _find_earlier_entry(entry) for entry in asked]


def _find_earlier_entry(asked: Entry) -> Entry:
    """The entry booked before for the same cause."""
    made = Entry.objects.get(cause=asked.cause)
    if _compared_values(made) != _compared_values(asked):
        raise ConflictingEntry(
            f"{asked.cause} is booked already as {made.kind} of {made.amount_cents} "
            f"cents; correct that entry instead."
        )
    return made


def book_touch_costs(
    arrived: Sequence[tuple[Cost | None, Touch]], *, at: datetime
) -> dict[UUID, Entry]:
    """Book what arrivals of leads cost; by touch, without those that cost nothing or are tests.

    The price is the one the delivery names, otherwise the source's own. A
    repeated inquiry costs again, as vendors charge it; what a vendor takes
    back comes as a credit.
    """
    zone = company_zone()
    asked = {
        touch.pk: _build_cost_entry(cost, touch, amount_cents, zone, at)
        for cost, touch in arrived
        if (amount_cents := _price_cents(cost, touch))
    }
    made = _insert_entries([*asked.values()], by=None, at=at)
    return dict(zip(asked, made, strict=True))


def _price_cents(cost: Cost | None, touch: Touch) -> int | None:
    is_free = cost is not None and cost.basis == "none"
    if touch.lead.is_test or is_free:
        return None
    return cost.amount_cents if cost else touch.source.cost_cents


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
        cause=f"touch:{touch.pk}",
        booked_at=at,
    )


def correct_entry(
    wrong: Entry, *, amount_cents: int, on_date: date, by: User, at: datetime
) -> Entry:
    """Take back `amount_cents` of an entry by one of the opposite kind; once for each entry.

    Raises `Contradiction` when it is more than the entry itself, or when
    another amount of it was taken back before.
    """
    if amount_cents > wrong.amount_cents:
        raise ConflictingEntry("More cannot be taken back than was booked.")
    return book_entry(
        kind=OPPOSITE_KINDS[wrong.kind],
        amount_cents=amount_cents,
        on_date=on_date,
        source_id=wrong.source_id,
        campaign_id=wrong.campaign_id,
        lead_id=wrong.lead_id,
        loan_id=wrong.loan_id,
        basis="correction",
        cause=f"correction:{wrong.pk}",
        by=by,
        at=at,
    )


def _compared_values(made: Entry) -> tuple[str, int, UUID]:
    return made.kind, made.amount_cents, made.source_id


def _booked_event(made: Entry, *, by: User | None, at: datetime) -> Event:
    return build_event(
        "money.entry.booked",
        at=at,
        actor=f"user:{by.pk}" if by else "system:money",
        lead_id=made.lead_id,
        entry_id=made.pk,
        entry_kind=made.kind,
        amount_cents=made.amount_cents,
        source_id=made.source_id,
        loan_id=made.loan_id,
        cause=made.cause,
    )

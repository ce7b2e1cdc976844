"""Books lead costs and loan revenue, each once; only another entry corrects an entry."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NotRequired, TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Sum

from rooftree.core.user_errors import UserError
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
    reason: NotRequired[str]
    corrects: NotRequired[Entry | None]


class ConflictingEntry(UserError):
    """The same cause was booked before with other values. The text is fit to show."""


def book_entry(*, by: User | None, at: datetime, **booking: Unpack[Booking]) -> Entry:
    """Book one amount; a repeat with the same cause returns the earlier entry.

    Raises `ConflictingEntry` if the earlier entry has another amount, kind or source:
    a booked entry stays, and `correct_entry` corrects it.
    """
    return insert_entries([Entry(**booking, booked_by=by, booked_at=at)], by=by, at=at)[0]


def insert_entries(entries: Sequence[Entry], *, by: User | None, at: datetime) -> list[Entry]:
    """Book new entries in one batch; a repeat of a cause returns the earlier entry."""
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
        touch.pk: build_cost_entry(cost, touch, amount_cents, zone, at)
        for cost, touch in arrived
        if not touch.lead.is_test
        and not (cost and cost.basis == "none")
        and (amount_cents := cost.amount_cents if cost else touch.source.cost_cents)
    }
    entries = insert_entries([*costs.values()], by=None, at=at)
    return dict(zip(costs, entries, strict=True))


def build_cost_entry(
    cost: Cost | None, touch: Touch, amount_cents: int, zone: ZoneInfo, at: datetime
) -> Entry:
    """Build the cost entry of one arrival, at its stated price or its source's."""
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


def net_amounts(entries: Iterable[Entry]) -> dict[UUID, int]:
    """Return what is left of each entry after its corrections, in cents, by entry id."""
    kinds = {entry.pk: entry.kind for entry in entries}
    amounts = {entry.pk: entry.amount_cents for entry in entries}
    rows = Entry.objects.filter(corrects__in=amounts).values_list("corrects_id", "kind")
    for entry_id, kind, cents in rows.annotate(Sum("amount_cents")):
        amounts[entry_id] += cents if kind == kinds[entry_id] else -cents
    return amounts


def correct_entry(
    wrong: Entry, *, right_cents: int, reason: str, by: User | None, at: datetime
) -> Entry | None:
    """Correct an entry to `right_cents` with a new entry for the difference.

    The correction has the day of the entry, so the sums of that month become right. Returns
    None if the entry, with its earlier corrections, already stands at `right_cents`. Raises
    `ConflictingEntry` for a negative amount or a correction, and when someone else corrects
    the entry at the same time.
    """
    return correct_entries([wrong], right_cents=right_cents, reason=reason, by=by, at=at)[0]


def correct_entries(
    wrong: Sequence[Entry],
    *,
    right_cents: int,
    reason: str,
    by: User | None,
    at: datetime,
    basis: str = "correction",
) -> list[Entry | None]:
    """Correct entries to the same amount, as `correct_entry` does; return the new entries."""
    if right_cents < 0:
        raise ConflictingEntry("An amount can't be below zero.", "amount")
    if any(entry.corrects_id for entry in wrong):
        raise ConflictingEntry("This is a correction. Correct the entry that it corrects.")
    # One correction of an entry after the other: each is the difference from the one before.
    list(Entry.objects.select_for_update().filter(pk__in=[entry.pk for entry in wrong]))
    amounts = net_amounts(wrong)
    counts = dict(
        Entry.objects.filter(corrects__in=amounts).values_list("corrects_id").annotate(Count("pk"))
    )
    corrections = {
        entry.pk: Entry(
            kind=entry.kind if difference > 0 else OPPOSITE_KINDS[entry.kind],
            amount_cents=abs(difference),
            on_date=entry.on_date,
            source_id=entry.source_id,
            campaign_id=entry.campaign_id,
            lead_id=entry.lead_id,
            loan_id=entry.loan_id,
            delivery_id=entry.delivery_id,
            basis=basis,
            corrects=entry,
            reason=reason,
            # Two corrections at the same moment get the same key; the second is refused.
            idempotency_key=f"correction:{entry.pk}:{counts.get(entry.pk, 0) + 1}",
            booked_by=by,
            booked_at=at,
        )
        for entry in wrong
        if (difference := right_cents - amounts[entry.pk])
    }
    booked = insert_entries([*corrections.values()], by=by, at=at)
    by_corrected = dict(zip(corrections, booked, strict=True))
    return [by_corrected.get(entry.pk) for entry in wrong]


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
        corrects=entry.corrects_id,
        reason=entry.reason or None,
    )

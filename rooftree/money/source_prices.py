"""Dated prices per lead: preview, record, and apply to the leads that arrived since."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat

from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source, Touch
from rooftree.ledger.write_events import write_event
from rooftree.money import book_entries
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry, SourcePrice
from rooftree.org.models import User

BATCH = 500  # entries per run
SOURCE_BASIS = "source_terms"  # of a cost at the source's price, not one that a delivery stated


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEffect:
    """The effect of a price, in leads and cents."""

    leads: int = 0  # booked at another price
    change_cents: int = 0  # of the sum, with its sign, unpriced leads included
    unpriced_leads: int = 0  # had no price yet
    credited_leads: int = 0  # returned and credited: they keep their price
    until_date: date | None = None  # a later price begins


def preview_price(source: Source, *, from_date: date, cents: int, today: date) -> PriceEffect:
    """Count what a price from a day on would change; books nothing."""
    until = _next_price_date(source.pk, from_date)
    if from_date > today:
        return PriceEffect(until_date=until)
    wrong = _find_wrong_entries(source.pk, from_date, until, cents)
    amounts = list(wrong.values_list("net", flat=True))
    unpriced = _find_unpriced_touches(source.pk, from_date, until).count() if cents else 0
    return PriceEffect(
        leads=len(amounts),
        change_cents=cents * (len(amounts) + unpriced) - sum(amounts),
        unpriced_leads=unpriced,
        credited_leads=_entries_at_source_price(source.pk, from_date, until)
        .filter(claim__credited_cents__gt=0)
        .count(),
        until_date=until,
    )


def record_price(
    source: Source, *, from_date: date, cents: int, reason: str, by: User, at: datetime
) -> SourcePrice:
    """Record a price; `apply_next_batch` books its corrections. Raises `InvalidField`.

    A repeat of the newest price on the same day returns it.
    """
    if not reason.strip():
        raise InvalidField("reason", "Enter a reason.")
    newest = SourcePrice.objects.filter(source=source, from_date=from_date).order_by("-id").first()
    if newest and newest.cents == cents:
        return newest
    price = SourcePrice.objects.create(
        id=uuid7_at(at), source=source, from_date=from_date, cents=cents, reason=reason.strip(),
        made_by=by, made_at=at,
    )  # fmt: skip
    write_event(
        "money.price.recorded", at=at, actor=f"user:{by.pk}", source_id=source.pk,
        from_date=str(from_date), cents=cents, reason=price.reason,
    )  # fmt: skip
    return price


def apply_next_batch(price: SourcePrice, *, at: datetime) -> list[Entry]:
    """Book up to `BATCH` corrections of a price in force; return the new entries.

    When none are left, the price is marked as applied. A repeat books nothing.
    """
    today = company_day(at)
    if price.from_date > today:
        return []
    until = _next_price_date(price.source_id, price.from_date)
    newest = SourcePrice.objects.filter(source=price.source_id, from_date=price.from_date)
    is_replaced = newest.filter(pk__gt=price.pk).exists()
    in_force = SourcePrice.objects.filter(source=price.source_id, from_date__lte=today)
    current = in_force.order_by("-from_date", "-id").values_list("cents", flat=True)[0]
    Source.objects.filter(pk=price.source_id).update(cost_cents=current)  # for leads from now on
    booked = [] if is_replaced else _book_batch(price, until, at)
    if not booked:
        SourcePrice.objects.filter(pk=price.pk).update(applied_at=at)
    return booked


def _book_batch(price: SourcePrice, until: date | None, at: datetime) -> list[Entry]:
    wrong = _find_wrong_entries(price.source_id, price.from_date, until, price.cents)
    corrections = book_entries.correct_entries(
        list(wrong.order_by("id")[:BATCH]), right_cents=price.cents, reason=price.reason,
        by=price.made_by, at=at, basis="price_change",
    )  # fmt: skip
    booked = [correction for correction in corrections if correction]
    room = BATCH - len(booked)
    if not price.cents or not room:
        return booked
    unpriced = _find_unpriced_touches(price.source_id, price.from_date, until)[:room]
    zone = company_zone()
    costs = [
        book_entries.build_cost_entry(None, touch, price.cents, zone, at) for touch in unpriced
    ]
    for cost in costs:
        cost.reason, cost.booked_by = price.reason, price.made_by
    return booked + book_entries.insert_entries(costs, by=price.made_by, at=at)


def _next_price_date(source_id: UUID, from_date: date) -> date | None:
    later = SourcePrice.objects.filter(source=source_id, from_date__gt=from_date)
    return later.order_by("from_date").values_list("from_date", flat=True).first()


def _entries_at_source_price(
    source_id: UUID, from_date: date, until: date | None
) -> QuerySet[Entry]:
    rows = Entry.objects.filter(
        source=source_id, kind="cost", basis=SOURCE_BASIS, corrects=None, on_date__gte=from_date
    )
    return rows.filter(on_date__lt=until) if until else rows


def _find_wrong_entries(
    source_id: UUID, from_date: date, until: date | None, cents: int
) -> QuerySet[Any]:
    """Find the entries at the source's price whose `net` after corrections isn't `cents`."""
    signed = Case(
        When(corrections__kind="cost", then=F("corrections__amount_cents")),
        When(corrections__kind="credit", then=-F("corrections__amount_cents")),
        default=0,
        output_field=BigIntegerField(),
    )
    rows = _entries_at_source_price(source_id, from_date, until)
    returned = Q(claim__credited_cents__gt=0)
    by_hand = Entry.objects.filter(corrects=OuterRef("pk"), basis="correction")
    return (
        rows.exclude(returned)
        .exclude(Exists(by_hand))
        .annotate(net=F("amount_cents") + Coalesce(Sum(signed), 0))
        .exclude(net=cents)
    )


def _find_unpriced_touches(source_id: UUID, from_date: date, until: date | None) -> QuerySet[Touch]:
    """Find the arrivals of leads without a cost, whose delivery states no price."""
    zone = company_zone()
    key = Concat(Value("touch:"), Cast(OuterRef("pk"), TextField()))
    rows = Touch.objects.filter(
        ~Q(inquiry__has_key="cost") | Q(inquiry__cost=None),
        source=source_id,
        lead__is_test=False,
        at__gte=datetime.combine(from_date, time(), zone),
    )
    if until:
        rows = rows.filter(at__lt=datetime.combine(until, time(), zone))
    unpaid = rows.exclude(Exists(Entry.objects.filter(idempotency_key=key)))
    return unpaid.select_related("source", "lead").order_by("at", "id")

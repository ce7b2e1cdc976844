"""Money that staff and other systems enter: each entry is booked and counted together."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Loan, Source
from rooftree.money import book_entries, source_prices, spend_entries, vendor_invoices
from rooftree.money.company_day import company_day
from rooftree.money.models import Entry, SourcePrice, VendorInvoice
from rooftree.money.spend_entries import MonthlyFee, SpendLine, SpendPeriod, SpendPlan
from rooftree.org.models import User
from rooftree.reporting.rollups import rollup_deltas

BATCHES_AT_ONCE = 4  # of a price; the schedule applies the rest


def book_spend_plan(plan: SpendPlan, *, reason: str, by: User, at: datetime) -> list[Entry]:
    """Book a plan of spend, all of it or nothing."""
    with transaction.atomic():
        entries = spend_entries.book_plan(plan, reason=reason, by=by, at=at)
        _count_entries(entries)
    return entries


def book_ad_spend(spend: SpendPeriod, *, by: User, at: datetime) -> list[Entry]:
    """Book ad spend spread over its days; a repeat books nothing.

    Raises `InvalidField` if a day has another amount already.
    """
    days = spend_entries.spread_amount(spend.amount_cents, first=spend.first, last=spend.last)
    lines = [
        SpendLine(
            source_id=spend.source.pk, on_date=day, amount_cents=cents, campaign=spend.campaign
        )
        for day, cents in days
    ]
    plan = spend_entries.plan_spend(lines)
    if plan.changed:
        day = plan.changed[0][0].on_date
        raise InvalidField(
            "first",
            f"Spend for {day:%b} {day.day} is already booked with another amount. "
            "Correct that entry instead.",
        )
    return book_spend_plan(plan, reason=spend.reason, by=by, at=at)


def book_monthly_fee(fee: MonthlyFee, *, by: User, at: datetime) -> list[Entry]:
    """Book a fee on the first day of each month; a repeat of the same fee books nothing.

    Raises `ConflictingEntry` if a fee of this name has another amount in one of the months.
    """
    with transaction.atomic():
        entries = [
            book_entries.book_entry(
                kind="cost", amount_cents=fee.amount_cents, on_date=month,
                source_id=fee.source.pk, basis=spend_entries.MONTHLY_FEE, reason=fee.name,
                idempotency_key=f"fee:{fee.source.pk}:{month}:{fee.name.casefold()}"[:160],
                by=by, at=at,
            )
            for month in spend_entries.following_months(fee.first, fee.months)
        ]  # fmt: skip
        _count_entries(entries)
    return entries


def book_sent_spend(
    lines: Sequence[tuple[str, SpendLine]], *, by: User, at: datetime
) -> list[Entry]:
    """Book spend that another system sent, each line with its own idempotency key.

    Raises `ConflictingEntry`, and books nothing, if a key was used with other values.
    """
    with transaction.atomic():
        campaigns = spend_entries.ensure_campaigns([line for _, line in lines])
        entries = [
            book_entries.book_entry(
                kind="cost", amount_cents=line.amount_cents, on_date=line.on_date,
                source_id=line.source_id, basis=spend_entries.AD_SPEND, reason="Sent by API",
                campaign_id=campaigns.get((line.source_id, line.campaign.casefold())),
                idempotency_key=f"api:{line.source_id}:{key}", by=by, at=at,
            )
            for key, line in lines
        ]  # fmt: skip
        for (key, line), entry in zip(lines, entries, strict=True):
            if entry.on_date != line.on_date:
                raise book_entries.ConflictingEntry(f"{key} is already booked on {entry.on_date}.")
        _count_entries(entries)
    return entries


def correct_booked_entry(
    entry: Entry, *, right_cents: int, reason: str, by: User, at: datetime
) -> Entry | None:
    """Correct an entry by a new one, and the sums with it. Raises `ConflictingEntry`.

    Revenue that the LOS reports is corrected in the LOS.
    """
    if entry.basis == "los":
        raise book_entries.ConflictingEntry("The LOS reports this revenue. Correct it there.")
    with transaction.atomic():
        correction = book_entries.correct_entry(
            entry, right_cents=right_cents, reason=reason, by=by, at=at
        )
        _count_entries([correction] if correction else [])
        if entry.loan_id and entry.kind == "revenue":
            Loan.objects.filter(pk=entry.loan_id).update(revenue_cents=right_cents)
    return correction


def book_invoice_difference(
    invoice: VendorInvoice, *, reason: str, by: User, at: datetime
) -> Entry | None:
    """Book what a source's invoices of a month differ from its books; None if they agree."""
    with transaction.atomic():
        Source.objects.select_for_update(no_key=True).get(pk=invoice.source_id)
        compared = vendor_invoices.find_invoice_month(invoice)
        cents = compared.difference_cents
        if not cents:
            return None
        last_day = monthrange(invoice.month.year, invoice.month.month)[1]
        earlier = Entry.objects.filter(idempotency_key__startswith=f"invoice:{invoice.pk}:").count()
        entry = book_entries.book_entry(
            kind="cost" if cents > 0 else "credit", amount_cents=abs(cents),
            on_date=invoice.month.replace(day=last_day), source_id=invoice.source_id,
            basis="invoice", reason=reason, by=by, at=at,
            idempotency_key=f"invoice:{invoice.pk}:{earlier + 1}",
        )  # fmt: skip
        _count_entries([entry])
    return entry


def record_price(
    source: Source, *, from_date: date, cents: int, reason: str, by: User, at: datetime
) -> SourcePrice:
    """Record a price and re-price the leads since its first day; the schedule does a long rest."""
    price = source_prices.record_price(
        source, from_date=from_date, cents=cents, reason=reason, by=by, at=at
    )
    for _ in range(BATCHES_AT_ONCE):
        if not _apply_batch(price.pk, at):
            break
    return price


def apply_due_prices(*, at: datetime) -> int:
    """Apply one batch of each price that began; return how many entries were booked."""
    due = SourcePrice.objects.filter(applied_at=None, from_date__lte=company_day(at)).order_by(
        "from_date", "id"
    )
    return sum(_apply_batch(price_id, at) for price_id in [*due.values_list("pk", flat=True)])


def _apply_batch(price_id: UUID, at: datetime) -> int:
    with transaction.atomic():
        price = SourcePrice.objects.select_for_update().select_related("made_by").get(pk=price_id)
        entries = [] if price.applied_at else source_prices.apply_next_batch(price, at=at)
        _count_entries(entries)
    return len(entries)


def _count_entries(entries: Iterable[Entry]) -> None:
    """Add entries to the report sums."""
    rows = list(entries)
    for entry in rows:
        if entry.lead_id:
            is_cost = entry.kind in ("cost", "credit")
            (rollup_deltas.count_cost if is_cost else rollup_deltas.count_revenue)(entry)
    rollup_deltas.count_leadless_entries([entry.pk for entry in rows if not entry.lead_id])

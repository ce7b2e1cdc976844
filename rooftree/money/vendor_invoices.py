"""Vendor invoices compared with the books of their month."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rooftree.core.money_amounts import format_cents
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.money import balance
from rooftree.money.models import Entry, VendorInvoice
from rooftree.money.spend_entries import following_months
from rooftree.org.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceMonth:
    """All invoices of one source for one month, and what is booked for that month."""

    source: Source
    month: date
    invoices: tuple[VendorInvoice, ...]
    booked_cents: int

    @property
    def billed_cents(self) -> int:
        """The sum of the invoices."""
        return sum(invoice.amount_cents for invoice in self.invoices)

    @property
    def difference_cents(self) -> int:
        """Billed less booked: positive if the vendor billed more than is booked."""
        return self.billed_cents - self.booked_cents

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        what = f"{self.source.name} billed {format_cents(self.billed_cents)} for {self.month:%B %Y}"
        if not self.difference_cents:
            return f"{what}. Your books show the same amount."
        size = format_cents(abs(self.difference_cents))
        side = "more" if self.difference_cents > 0 else "less"
        return f"{what}, {size} {side} than the {format_cents(self.booked_cents)} you booked."


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorBill:
    """An invoice as staff enter it."""

    source: Source
    number: str
    month: date  # any day of it
    amount_cents: int
    note: str = ""


def record_invoice(bill: VendorBill, *, by: User, at: datetime) -> VendorInvoice:
    """Record an invoice for a month. Raises `InvalidField`.

    A repeat with the same amount and month returns the earlier invoice.
    """
    month = bill.month.replace(day=1)
    earlier = VendorInvoice.objects.filter(source=bill.source, number=bill.number).first()
    if earlier and (earlier.month, earlier.amount_cents) != (month, bill.amount_cents):
        raise InvalidField(
            "number",
            f"Invoice {bill.number} is already recorded with {format_cents(earlier.amount_cents)} "
            f"for {earlier.month:%B %Y}. Record the vendor's correction under its own number.",
        )
    if earlier:
        return earlier
    invoice = VendorInvoice.objects.create(
        id=uuid7_at(at), source=bill.source, number=bill.number, month=month, note=bill.note,
        amount_cents=bill.amount_cents, made_by=by, made_at=at,
    )  # fmt: skip
    write_event(
        "money.invoice.recorded", at=at, actor=f"user:{by.pk}", source_id=bill.source.pk,
        invoice=invoice.pk, month=str(month), amount_cents=bill.amount_cents,
    )  # fmt: skip
    return invoice


def compare_invoices(*, limit: int = 100) -> list[InvoiceMonth]:
    """Compare the invoices of each source and month with the books, newest month first."""
    grouped: dict[tuple[date, UUID], list[VendorInvoice]] = {}
    rows = VendorInvoice.objects.select_related("source", "made_by")
    for invoice in rows.order_by("-month", "source__name", "id")[:limit]:
        grouped.setdefault((invoice.month, invoice.source_id), []).append(invoice)
    booked = {
        month: balance.balances_by_source(from_date=month, until_date=following_months(month, 2)[1])
        for month in {month for month, _ in grouped}
    }
    return [
        InvoiceMonth(
            source=invoices[0].source,
            month=month,
            invoices=tuple(invoices),
            booked_cents=booked[month].get(source_id, balance.Balance()).spend_cents,
        )
        for (month, source_id), invoices in grouped.items()
    ]


def find_invoice_month(invoice: VendorInvoice) -> InvoiceMonth:
    """Compare all invoices of an invoice's source and month with the books."""
    same = VendorInvoice.objects.filter(source=invoice.source_id, month=invoice.month)
    days = Entry.objects.filter(
        source=invoice.source_id, on_date__gte=invoice.month,
        on_date__lt=following_months(invoice.month, 2)[1],
    )  # fmt: skip
    return InvoiceMonth(
        source=invoice.source,
        month=invoice.month,
        invoices=tuple(same.order_by("id")),
        booked_cents=balance.sum_entries(days).spend_cents,
    )

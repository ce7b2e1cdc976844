"""Vendor invoices against the books of their month."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import money_in
from rooftree.money import spend_reminders, vendor_invoices
from rooftree.money.company_day import company_day
from rooftree.money.models import Entry, VendorInvoice
from rooftree.money.vendor_invoices import VendorBill
from rooftree.routing.permissions import has_company_permission
from rooftree.web.money.spend_views import SourceAmountForm
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import StaffForm, date_field, text_field, textarea_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_company_permission,
    staff_view,
)


class InvoiceForm(SourceAmountForm):
    """One invoice of a vendor."""

    number = text_field("Invoice number", max_length=60)
    month = date_field("Month billed", "Any day of it")
    note = text_field("Note", required=False, max_length=300)
    field_order = ("source", "number", "month", "amount", "note")


class DifferenceForm(StaffForm):
    """Why the books follow the invoice."""

    reason = textarea_field("Reason", "For example: 6 leads we never received", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].widget.attrs["maxlength"] = 300


@staff_view("GET", "POST")
def record_invoice(request: StaffRequest) -> HttpResponse:
    """List invoices with their difference from the books; a POST records one."""
    require_company_permission(request.user, "see_money")
    if request.method == "POST":
        require_company_permission(request.user, "book_money")
    may_book = has_company_permission(request.user, "book_money")
    month = spend_reminders.last_month(company_day(request.at))
    form = InvoiceForm(request.POST or None, initial={"month": month})

    def record(typed: dict[str, Any]) -> VendorInvoice:
        bill = VendorBill(amount_cents=typed.pop("amount"), **typed)
        return vendor_invoices.record_invoice(bill, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(record):
        words = vendor_invoices.find_invoice_month(form.result).sentence
        return respond_redirect(request, words, to=reverse("money_invoices"))
    context = {
        "form": form if may_book else None,
        "may_book": may_book,
        "months": vendor_invoices.compare_invoices(),
    }
    return render(request, "money/invoices.html", context, status=422 if request.POST else 200)


@staff_view("GET", "POST")
def book_difference(request: StaffRequest, invoice_id: UUID) -> HttpResponse:
    """Show what an invoice's month differs by; a POST books the difference with a reason."""
    require_company_permission(request.user, "book_money")
    invoice = get_object_or_404(VendorInvoice.objects.select_related("source"), pk=invoice_id)
    form = DifferenceForm(request.POST or None)

    def book(typed: dict[str, Any]) -> Entry | None:
        return money_in.book_invoice_difference(
            invoice, reason=typed["reason"], by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(book):
        words = "Difference booked" if form.result else "Your books already agree with the invoice"
        return respond_redirect(request, words, to=reverse("money_invoices"))
    context = {"form": form, "compared": vendor_invoices.find_invoice_month(invoice)}
    return render(request, "money/difference.html", context, status=422 if request.POST else 200)

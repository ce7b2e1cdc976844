"""Fundings that staff record on a lead where no LOS reports them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import manual_funding, money_in
from rooftree.leads.models import Lead, Loan
from rooftree.money import book_entries
from rooftree.money.company_day import company_day
from rooftree.money.models import Entry
from rooftree.web.lead.action_views import get_permitted_lead
from rooftree.web.money.ledger_views import CorrectionForm
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import DollarsField, StaffForm, date_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class FundingForm(StaffForm):
    """The funding of a loan that no LOS reports."""

    funded_date = date_field("Funded on", "The day the loan was funded")
    amount = DollarsField("Loan amount, $")
    revenue = DollarsField("Revenue, $", "What the company earns on this loan")
    reason = text_field("Note", "For example, where you saw it", required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("amount", "revenue"):
            self.fields[name].required = True


class FundingDateForm(StaffForm):
    """The right day of a recorded funding, and why it changes."""

    funded_date = date_field("Funded on")
    reason = text_field("Reason", "Kept with the new entries", max_length=300)


class UndoForm(StaffForm):
    """Why a funding is taken back."""

    reason = text_field("Reason", "For example, recorded on the wrong lead", max_length=300)


@staff_view("GET", "POST")
def record_funding(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Show a lead's funding and revenue; a POST records the funding."""
    lead = get_permitted_lead(request, "record_funding", lead_id)
    form = FundingForm(
        request.POST or None,
        initial={"funded_date": company_day(request.at), "amount": lead.amount_cents},
    )

    def record(typed: dict[str, Any]) -> Loan:
        funding = manual_funding.Funding(
            funded_date=typed["funded_date"],
            amount_cents=typed["amount"],
            revenue_cents=typed["revenue"],
            reason=typed["reason"],
        )
        return manual_funding.record_funding(lead, funding, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(record):
        return respond_redirect(request, "Funding recorded", to=reverse("lead", args=[lead.pk]))
    return _render_funding(request, lead, form, status=422 if request.POST else 200)


@staff_view("POST")
def correct_revenue(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Correct the revenue of a funding that staff recorded."""
    lead = get_permitted_lead(request, "record_funding", lead_id)
    loan = manual_funding.find_manual_loan(lead)
    entry = manual_funding.find_revenue_entry(loan) if loan else None
    if entry is None:
        return _render_funding(request, lead, FundingForm(), status=422)
    form = CorrectionForm(request.POST)

    def correct(typed: dict[str, Any]) -> Entry | None:
        return money_in.correct_booked_entry(
            entry, right_cents=typed["amount"], reason=typed["reason"], by=request.user,
            at=request.at,
        )  # fmt: skip

    if form.submit(correct):
        return respond_redirect(request, "Revenue corrected", to=reverse("funding", args=[lead.pk]))
    return _render_funding(request, lead, FundingForm(), correction=form, status=422)


@staff_view("POST")
def correct_funding_date(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Move a funding that staff recorded to another day."""
    lead = get_permitted_lead(request, "record_funding", lead_id)
    form = FundingDateForm(request.POST, auto_id="date_%s")

    def correct(typed: dict[str, Any]) -> None:
        manual_funding.correct_funding_date(lead, **typed, by=request.user, at=request.at)

    if form.submit(correct):
        page_url = reverse("funding", args=[lead.pk])
        return respond_redirect(request, "Funding date corrected", to=page_url)
    return _render_funding(request, lead, FundingForm(), date_form=form, status=422)


@staff_view("POST")
def undo_funding(request: StaffRequest, lead_id: UUID) -> HttpResponse:
    """Take back a funding that staff recorded by mistake."""
    lead = get_permitted_lead(request, "record_funding", lead_id)
    form = UndoForm(request.POST, auto_id="undo_%s")

    def undo(typed: dict[str, Any]) -> None:
        manual_funding.undo_funding(lead, reason=typed["reason"], by=request.user, at=request.at)

    if form.submit(undo):
        toast = "Funding undone. The lead is being worked again"
        return respond_redirect(request, toast, to=reverse("lead", args=[lead.pk]))
    return _render_funding(request, lead, FundingForm(), undo_form=form, status=422)


def _render_funding(
    request: StaffRequest, lead: Lead, form: FundingForm, *, status: int = 200, **typed: StaffForm
) -> HttpResponse:
    """Render a lead's funding; `typed` are refused forms by their names on the page."""
    loan = manual_funding.find_manual_loan(lead)
    entry = manual_funding.find_revenue_entry(loan) if loan else None
    funded_date = loan.funded_date if loan else None
    context = {
        "lead": lead,
        "loan": loan,
        "los_loan": manual_funding.find_los_loan(lead),
        "entry": entry,
        "net_cents": book_entries.net_amounts([entry])[entry.pk] if entry else 0,
        "corrections": entry.corrections.select_related("booked_by").order_by("id")
        if entry
        else [],
        "form": form,
        "correction": CorrectionForm(),
        "date_form": FundingDateForm(initial={"funded_date": funded_date}, auto_id="date_%s"),
        "undo_form": UndoForm(auto_id="undo_%s"),
        **typed,
    }
    return render(request, "money/funding.html", context, status=status)

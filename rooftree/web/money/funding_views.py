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


def _render_funding(
    request: StaffRequest,
    lead: Lead,
    form: FundingForm,
    *,
    correction: CorrectionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    loan = manual_funding.find_manual_loan(lead)
    entry = manual_funding.find_revenue_entry(loan) if loan else None
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
        "correction": correction or CorrectionForm(),
    }
    return render(request, "money/funding.html", context, status=status)

"""Forms for ad spend and monthly fees."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.user_errors import InvalidField
from rooftree.flow import money_in
from rooftree.leads.models import Source
from rooftree.money import spend_reminders
from rooftree.money.company_day import company_day
from rooftree.money.models import Entry
from rooftree.money.spend_entries import MAX_FEE_MONTHS, MonthlyFee, SpendPeriod
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    choice_field,
    date_field,
    integer_field,
    row_choices,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view


class SourceAmountForm(StaffForm):
    """A form with a source and an amount."""

    source = choice_field("Source", ())
    amount = DollarsField("Amount, $")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].required = True
        self.rows = {str(row.pk): row for row in list_real_sources()}
        self.set_choices("source", row_choices(self.rows.values(), "Choose a source"))

    def clean_source(self) -> Source:
        """Return the chosen source."""
        if not (row := self.rows.get(self.cleaned_data["source"])):
            raise ValidationError("Choose a source.")
        return row


class AdSpendForm(SourceAmountForm):
    """Ad spend of one day, or of a period spread over its days."""

    amount = DollarsField("Amount, $", "Enter 0 if you spent nothing")
    campaign = text_field("Campaign", "Name at the ad platform", required=False)
    first = date_field("From")
    last = date_field("Through", "The amount is spread evenly over these days")
    reason = text_field("Note", "For example, the report’s name", required=False, max_length=300)
    field_order = ("source", "campaign", "first", "last", "amount", "reason")


class MonthlyFeeForm(SourceAmountForm):
    """A fee that is due each month."""

    amount = DollarsField("Amount per month, $")
    name = text_field("Fee", "For example, call tracking", max_length=80)
    first = date_field("First month", "Any day of it")
    months = integer_field("Number of months", min_value=1, max_value=MAX_FEE_MONTHS)
    field_order = ("source", "name", "first", "months", "amount")


def list_real_sources() -> list[Source]:
    """List the sources whose money counts, by name."""
    return list(Source.objects.filter(is_test=False).order_by("name", "id").only("id", "name"))


def month_url(month: date) -> str:
    """Return the URL of a month on the Money page."""
    return f"{reverse('money')}?month={month:%Y-%m}"


@staff_view("GET", "POST")
def add_ad_spend(request: StaffRequest) -> HttpResponse:
    """Show the form for ad spend; a POST books it by day."""
    require_company_permission(request.user, "book_money")
    today = company_day(request.at)
    month = spend_reminders.last_month(today)
    form = AdSpendForm(
        request.POST or None,
        initial={
            "source": request.GET.get("source", ""),
            "first": month,
            "last": date.fromordinal(today.replace(day=1).toordinal() - 1),
        },
    )

    def book(typed: dict[str, Any]) -> list[Entry]:
        if typed["last"] > today:
            raise InvalidField("last", "The last day is in the future.")
        spend = SpendPeriod(amount_cents=typed.pop("amount"), **typed)
        return money_in.book_ad_spend(spend, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(book):
        words = (
            f"Ad spend booked: {count_noun(len(form.result), 'day')}"
            if form.result
            else "This spend was already booked. Nothing was added"
        )
        return respond_redirect(request, words, to=month_url(form.cleaned_data["first"]))
    context = {"form": form, "title": "Add ad spend", "button": "Book ad spend"}
    return render(request, "money/form.html", context, status=422 if request.POST else 200)


@staff_view("GET", "POST")
def add_monthly_fee(request: StaffRequest) -> HttpResponse:
    """Show the form for a monthly fee; a POST books it on the first day of each month."""
    require_company_permission(request.user, "book_money")
    today = company_day(request.at)
    form = MonthlyFeeForm(
        request.POST or None,
        initial={"source": request.GET.get("source", ""), "first": today, "months": 1},
    )

    def book(typed: dict[str, Any]) -> list[Entry]:
        fee = MonthlyFee(amount_cents=typed.pop("amount"), **typed)
        return money_in.book_monthly_fee(fee, by=request.user, at=request.at)

    if request.method == "POST" and form.submit(book):
        words = f"Fee booked for {count_noun(len(form.result), 'month')}"
        return respond_redirect(request, words, to=month_url(form.cleaned_data["first"]))
    context = {
        "form": form,
        "title": "Add a monthly fee",
        "button": "Book fee",
        "hint": "The fee is booked on the first day of each month and counts in that month.",
    }
    return render(request, "money/form.html", context, status=422 if request.POST else 200)

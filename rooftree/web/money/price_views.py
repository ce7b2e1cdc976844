"""Dated prices per lead: preview what a price changes, then record it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.money_amounts import format_cents
from rooftree.flow import money_in
from rooftree.money import source_prices
from rooftree.money.company_day import company_day
from rooftree.money.models import SourcePrice
from rooftree.money.source_prices import PriceEffect
from rooftree.routing.permissions import has_company_permission
from rooftree.web.money.spend_views import SourceAmountForm
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_redirect
from rooftree.web.shared.staff_forms import DollarsField, date_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import (
    require_company_permission,
    staff_view,
)

PRICES_SHOWN = 50


class PriceForm(SourceAmountForm):
    """A price per lead from a day on."""

    amount = DollarsField("Price per lead, $")
    from_date = date_field("From", "A day in the past re-prices the leads since then")
    reason = text_field("Reason", "For example: new contract of November", max_length=300)
    field_order = ("source", "from_date", "amount", "reason")


@staff_view("GET")
def preview_price(request: StaffRequest) -> HttpResponse:
    """Show the prices and the form; with its fields in the query, also what it would change."""
    require_company_permission(request.user, "see_money")
    may_book = has_company_permission(request.user, "book_money")
    today = company_day(request.at)
    is_sent = may_book and "amount" in request.GET
    initial = {"from_date": today, "source": request.GET.get("source", "")}
    form = PriceForm(request.GET if is_sent else None, initial=initial)
    sentences: list[str] = []
    if is_sent and form.is_valid():
        typed = form.cleaned_data
        effect = source_prices.preview_price(
            typed["source"], from_date=typed["from_date"], cents=typed["amount"], today=today
        )
        sentences = describe_effect(effect, is_future=typed["from_date"] > today)
    context = {
        "form": form if may_book else None,
        "sentences": sentences,
        "prices": SourcePrice.objects.select_related("source", "made_by").order_by(
            "source__name", "-from_date", "-id"
        )[:PRICES_SHOWN],
        "today": today,
    }
    return render(request, "money/prices.html", context, status=422 if form.errors else 200)


@staff_view("POST")
def record_price(request: StaffRequest) -> HttpResponse:
    """Record a price; leads since its first day are re-priced by new entries."""
    require_company_permission(request.user, "book_money")
    form = PriceForm(request.POST)

    def record(typed: dict[str, Any]) -> SourcePrice:
        return money_in.record_price(
            typed["source"], from_date=typed["from_date"], cents=typed["amount"],
            reason=typed["reason"], by=request.user, at=request.at,
        )  # fmt: skip

    if form.submit(record):
        return respond_redirect(request, "Price recorded", to=reverse("money_prices"))
    context = {"form": form, "title": "Record a price", "button": "Record price"}
    return render(request, "money/form.html", context, status=422)


def describe_effect(effect: PriceEffect, *, is_future: bool) -> list[str]:
    """Say in sentences what a price changes."""
    if is_future:
        sentences = ["This price begins in the future. No booked lead changes."]
    elif effect.leads or effect.unpriced_leads:
        count = count_noun(effect.leads + effect.unpriced_leads, "lead")
        sign = "−" if effect.change_cents < 0 else ""
        sentences = [f"This changes {count} by {sign}{format_cents(abs(effect.change_cents))}."]
    else:
        sentences = ["No booked lead changes. Leads from now on get this price."]
    if effect.unpriced_leads:
        verb = "has" if effect.unpriced_leads == 1 else "have"
        sentences.append(f"{effect.unpriced_leads:,} of them {verb} no cost yet.")
    if effect.credited_leads:
        verb = "keeps its" if effect.credited_leads == 1 else "keep their"
        count = count_noun(effect.credited_leads, "lead")
        sentences.append(f"{count} that the vendor credited {verb} price.")
    if effect.until_date:
        day = effect.until_date
        sentences.append(f"A later price applies from {day:%B} {day.day}, {day.year}.")
    return sentences

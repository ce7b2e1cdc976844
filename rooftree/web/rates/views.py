"""The rate sheet of today, who waits for what, and recording a new rate."""

from typing import Any

from django import forms
from django.db.models import Count, Min
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import rate_alerts
from rooftree.rates import record_rates
from rooftree.rates.models import RateWatch
from rooftree.routing.permissions import has_permission, leads_visible_to
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

TITLES = (
    ("Product", False), ("Rate", True), ("APR", True), ("Points", True), ("As of", False),
    ("Waiting", True),
)  # fmt: skip


class RateForm(StaffForm):
    """One line of the sheet."""

    product = choice_field("Loan product", record_rates.PRODUCTS.items())
    rate_pct = forms.DecimalField(label="Rate, %", max_digits=6, decimal_places=3)
    apr_pct = forms.DecimalField(label="APR, %", max_digits=6, decimal_places=3)
    points = forms.DecimalField(label="Points", max_digits=5, decimal_places=3, initial="0")
    sheet = text_field("Whose sheet", "Such as House sheet, or the investor's name.", max_length=80)


@staff_view("GET", "POST")
def show_rates(request: StaffRequest) -> HttpResponse:
    """The newest rate of each product; those who may record one have the form beside it."""
    require_permission(request.user, "see_rates")
    may_record = has_permission(request.user, "record_rates")
    if request.method == "POST":
        require_permission(request.user, "record_rates")
        form = RateForm(request.POST)
        if form.is_valid():
            try:
                seen = rate_alerts.record_rate(**form.cleaned_data, by=request.user, at=request.at)
            except record_rates.InvalidRate as problem:
                form.show_refusal("rate_pct", str(problem))
            else:
                said = f"{record_rates.PRODUCTS[seen.product]} is {seen.rate_pct:.3f}% now"
                return respond_done(request, said, back_to=reverse("rates"))
    else:
        form = RateForm()
    context = {"titles": TITLES, "rows": _rate_rows(request), "form": form if may_record else None}
    return render(request, "rates/show.html", context, status=422 if form.errors else 200)


def _rate_rows(request: StaffRequest) -> list[dict[str, Any]]:
    waiting = {
        row["product"]: row
        for row in RateWatch.objects.filter(
            ended_at=None, reached_at=None, lead__in=leads_visible_to(request.user)
        )
        .values("product")
        .annotate(count=Count("id"), lowest=Min("target_pct"))
    }
    return [
        {"name": name, "newest": record_rates.latest_rate(product), "waiting": waiting.get(product)}
        for product, name in record_rates.PRODUCTS.items()
    ]

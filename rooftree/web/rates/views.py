"""The current rate sheet, the borrowers waiting for a rate, and a form to record rates."""

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

COLUMNS = (  # (title, whether it holds numbers)
    ("Product", False),
    ("Rate", True),
    ("APR", True),
    ("Points", True),
    ("As of", False),
    ("Borrowers waiting", True),
)


class RateForm(StaffForm):
    """One rate of the sheet."""

    product = choice_field("Loan product", record_rates.PRODUCTS.items())
    rate_pct = forms.DecimalField(label="Rate, %", max_digits=6, decimal_places=3)
    apr_pct = forms.DecimalField(label="APR, %", max_digits=6, decimal_places=3)
    points = forms.DecimalField(label="Points", max_digits=5, decimal_places=3, initial="0")
    sheet = text_field(
        "Rate sheet", "For example House sheet, or the investor’s name", max_length=80
    )


@staff_view("GET", "POST")
def show_rates(request: StaffRequest) -> HttpResponse:
    """Show the latest rate of each product; a POST records a new one."""
    require_permission(request.user, "see_rates")
    may_record = has_permission(request.user, "record_rates")
    if request.method == "POST":
        require_permission(request.user, "record_rates")
        form = RateForm(request.POST)
        if form.is_valid():
            try:
                rate = rate_alerts.record_rate(**form.cleaned_data, by=request.user, at=request.at)
            except record_rates.InvalidRate as problem:
                form.show_refusal("rate_pct", str(problem))
            else:
                toast = f"{record_rates.PRODUCTS[rate.product]} recorded at {rate.rate_pct:.3f}%"
                return respond_done(request, toast, back_to=reverse("rates"))
    else:
        form = RateForm()
    context = {
        "columns": COLUMNS,
        "rows": _rate_rows(request),
        "form": form if may_record else None,
    }
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
        {"name": name, "latest": record_rates.latest_rate(product), "waiting": waiting.get(product)}
        for product, name in record_rates.PRODUCTS.items()
    ]

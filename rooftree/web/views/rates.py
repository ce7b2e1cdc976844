"""The rate sheet of today, who waits for what, and recording a new rate."""

from typing import Any

from django import forms
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.flow import rate_alerts
from rooftree.rates import observe
from rooftree.rates.models import RateWatch
from rooftree.routing.visible import leads_visible_to, may
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, choice, text

TITLES = (
    ("Product", False), ("Rate", True), ("APR", True), ("Points", True), ("As of", False),
    ("Waiting", True),
)  # fmt: skip


class RateForm(StaffForm):
    """One line of the sheet."""

    product = choice("Loan product", observe.PRODUCTS.items())
    rate_pct = forms.DecimalField(label="Rate, %", max_digits=6, decimal_places=3)
    apr_pct = forms.DecimalField(label="APR, %", max_digits=6, decimal_places=3)
    points = forms.DecimalField(label="Points", max_digits=5, decimal_places=3, initial="0")
    sheet = text("Whose sheet", "Such as House sheet, or the investor's name.", longest=80)


@staff("GET", "POST")
def rates(request: HttpRequest) -> HttpResponse:
    """The newest rate of each product; those who may record one have the form beside it."""
    must(request.user, "see_rates")
    may_record = may(request.user, "record_rates")
    if request.method == "POST":
        must(request.user, "record_rates")
        form = RateForm(request.POST)
        if form.is_valid():
            try:
                seen = rate_alerts.record(**form.cleaned_data, by=request.user, at=request.at)
            except observe.NotARate as problem:
                form.refuse("rate_pct", str(problem))
            else:
                said = f"{observe.PRODUCTS[seen.product]} is {seen.rate_pct:.3f}% now"
                return done(request, said, back_to=reverse("rates"))
    else:
        form = RateForm()
    context = {"titles": TITLES, "rows": _rows(request), "form": form if may_record else None}
    return render(request, "rates/show.html", context, status=422 if form.errors else 200)


def _rows(request: HttpRequest) -> list[dict[str, Any]]:
    waiting = {
        row["product"]: row
        for row in RateWatch.objects.filter(
            ended_at=None, reached_at=None, lead__in=leads_visible_to(request.user)
        )
        .values("product")
        .annotate(count=Count("id"), lowest=Min("target_pct"))
    }
    return [
        {"name": name, "newest": observe.newest(product), "waiting": waiting.get(product)}
        for product, name in observe.PRODUCTS.items()
    ]

"""Bids on a source's pings, and the results of the latest ones."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.bidding import bid_settings
from rooftree.capture.bidding.bid_rules import MAX_BID_SECONDS, BidRules
from rooftree.capture.source_setup.acceptance_limits import REFUSAL_REASONS, limits_to_json
from rooftree.capture.source_setup.manage_sources import source_addresses
from rooftree.leads.models import Source
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import LinesField, integer_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources.limit_forms import BUDGET_FIELDS, CAP_FIELDS, LimitsForm


class BidForm(LimitsForm):
    """Prices and limits of the bids on a source."""

    prices = LinesField(
        "Prices, $",
        "One per line: 30 for every lead, refinance 40 for a purpose, FL 45 for a state, "
        "FL purchase 52 for both. The most specific price counts. Empty: no bids",
    )
    seconds = integer_field(
        "Bid valid for, seconds",
        "Sellers decide within a minute",
        min_value=1,
        max_value=MAX_BID_SECONDS,
    )

    FIELDSETS = (
        ("Price per lead", ("prices",)),
        ("Maximum leads", CAP_FIELDS),
        ("Maximum spend", BUDGET_FIELDS),
        ("Other limits", ("duplicate_days", "seconds")),
    )

    def build_rules(self) -> BidRules:
        """Return the typed rules. Raises `BadSource`."""
        typed = self.cleaned_data
        return BidRules(
            prices=bid_settings.parse_prices(typed["prices"]),
            limits=self.limits(),
            seconds=typed["seconds"],
        )


@staff_view("GET", "POST")
def edit_bids(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the bid rules of a source and its latest pings; a POST saves the rules."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id, adapter="ping_post")
    if request.method == "GET":
        return _render_page(request, source, BidForm(initial=_bid_initial(source)))
    form = BidForm(request.POST)

    def save(_: dict[str, Any]) -> Source:
        return bid_settings.save_bid_rules(
            source_id=source.pk, rules=form.build_rules(), by=request.user, at=request.at
        )

    if form.submit(save):
        page_url = reverse("source_bids", args=[source.pk])
        return respond_done(request, f"Bids for {source.name} saved", back_to=page_url)
    return _render_page(request, source, form, status=422)


def _bid_initial(source: Source) -> dict[str, Any]:
    rules = bid_settings.source_bid_rules(source)
    return {
        "prices": bid_settings.format_prices(rules.prices),
        "duplicate_days": rules.limits.duplicate_days,
        **limits_to_json(rules.limits),
        "seconds": rules.seconds,
    }


def _render_page(
    request: StaffRequest, source: Source, form: BidForm, *, status: int = 200
) -> HttpResponse:
    day = bid_settings.summarize_last_day(source, at=request.at)
    context = {
        "source": source,
        "form": form,
        "day": day,
        "no_bid_reasons": [
            (REFUSAL_REASONS[reason], count)
            for reason, count in day.no_bid_counts
            if reason in REFUSAL_REASONS
        ],
        "latest": [
            (
                ping,
                display_formats.purpose(ping.purpose) if ping.purpose else "",
                REFUSAL_REASONS.get(ping.reason, ""),
            )
            for ping in bid_settings.latest_pings(source)
        ],
        "addresses": "\n".join(source_addresses(source)),
    }
    return render(request, "sources/bids.html", context, status=status)

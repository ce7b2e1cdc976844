"""What we bid on a source's pings, and what came of the last ones."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import source_bids
from rooftree.capture.acceptance import WHY_NOT, stored
from rooftree.capture.bidding import LONGEST_SECONDS, Rules
from rooftree.capture.source_setup import addresses_of
from rooftree.leads.models import Source
from rooftree.web import words
from rooftree.web.answers import done
from rooftree.web.limits_form import BUDGETS, CAPS, LimitsForm
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, number


class BidForm(LimitsForm):
    """Prices and limits."""

    prices = Lines(
        "Prices, $",
        "One a line: 30 for every lead, refinance 40 for a purpose, FL 45 for a state, "
        "FL purchase 52 for both. The closest one counts. None: no bid",
    )
    seconds = number(
        "A bid holds, seconds", "Sellers decide within a minute", least=1, most=LONGEST_SECONDS
    )

    PARTS = (
        ("What a lead is worth", ("prices",)),
        ("At most", CAPS),
        ("For at most", BUDGETS),
        ("And only", ("duplicate_days", "seconds")),
    )

    def rules(self) -> Rules:
        """What was typed. Raises `BadSource`."""
        typed = self.cleaned_data
        return Rules(
            prices=source_bids.prices_of(typed["prices"]),
            limits=self.limits(),
            seconds=typed["seconds"],
        )


@staff("GET", "POST")
def bids(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Set them, or look at them."""
    must(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id, adapter="ping_post")
    if request.method == "GET":
        return _page(request, source, BidForm(initial=_initial(source)))
    form = BidForm(request.POST)

    def keep(_: dict[str, Any]) -> Source:
        return source_bids.set_rules(
            source_id=source.pk, rules=form.rules(), by=request.user, at=request.at
        )

    if form.carried_out(keep):
        home = reverse("source_bids", args=[source.pk])
        return done(request, f"{source.name} is bid to by these from now on", back_to=home)
    return _page(request, source, form, status=422)


def _initial(source: Source) -> dict[str, Any]:
    rules = source_bids.rules_for(source)
    return {
        "prices": source_bids.written(rules.prices),
        "duplicate_days": rules.limits.duplicate_days,
        **stored(rules.limits),
        "seconds": rules.seconds,
    }


def _page(
    request: HttpRequest, source: Source, form: BidForm, *, status: int = 200
) -> HttpResponse:
    day = source_bids.last_day(source, at=request.at)
    context = {
        "source": source,
        "form": form,
        "day": day,
        "why_not": [(WHY_NOT[why], count) for why, count in day.why_not if why in WHY_NOT],
        "latest": [
            (one, words.purpose(one.purpose) if one.purpose else "", WHY_NOT.get(one.why, ""))
            for one in source_bids.latest(source)
        ],
        "addresses": "\n".join(addresses_of(source)),
    }
    return render(request, "sources/bids.html", context, status=status)

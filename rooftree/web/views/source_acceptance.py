"""Which inquiries of a source are taken, tried on what it brought before they hold."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import dry_run, judge, source_setup
from rooftree.capture.acceptance import REQUIRED, said_of, stored
from rooftree.leads.models import Delivery, Source
from rooftree.web.answers import done
from rooftree.web.limits_form import BUDGETS, CAPS, LimitsForm
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import several, yes


class AcceptanceForm(LimitsForm):
    """What an inquiry of this source must be."""

    licensed_only = yes(
        "Only where we are licensed", "The company, and an officer. No state said: taken"
    )
    required = several("It must come with", [(key, said) for key, said in REQUIRED.items()])

    PARTS = (
        ("What it must be", ("licensed_only", "required", "duplicate_days")),
        ("At most", CAPS),
        ("For at most", BUDGETS),
    )


@staff("GET", "POST")
def acceptance(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Set the limits, or look at them and at what they refused."""
    source = _source(request, source_id)
    if request.method == "GET":
        kept = stored(judge.limits_for(source))
        return _page(request, source, AcceptanceForm(initial={"duplicate_days": 0, **kept}))
    form = AcceptanceForm(request.POST)

    def keep(_: dict[str, Any]) -> Source:
        return source_setup.keep_part(
            "acceptance",
            stored(form.limits()),
            source_id=source.pk,
            by=request.user,
            at=request.at,
        )

    if form.carried_out(keep):
        back_to = reverse("source_acceptance", args=[source.pk])
        return done(request, f"{source.name} is held to these from now on", back_to=back_to)
    return _page(request, source, form, status=422)


@staff("POST")
def trial(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """What was typed, tried on the last thirty days. Nothing is kept of it."""
    source = _source(request, source_id)
    form = AcceptanceForm(request.POST)
    if not form.is_valid():
        return _page(request, source, form, status=422)
    run = dry_run.try_out(source, form.limits(), at=request.at)
    tried = [(said_of(one.why), one) for one in run.refused]
    return _page(request, source, form, run=run, tried=tried)


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    if not judge.can_be_limited(source):
        raise Http404
    return source


def _page(
    request: HttpRequest, source: Source, form: AcceptanceForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    refused = Delivery.objects.filter(
        source=source, outcome="not_accepted", received_at__gt=request.at - dry_run.DAYS
    )
    counts = refused.values_list("reason").annotate(number=Count("pk")).order_by("-number")
    context = {
        "source": source,
        "form": form,
        "hears_why": judge.answers_of(source) is not None,
        "refused": [(said_of(why), number) for why, number in counts],
        **more,
    }
    return render(request, "sources/acceptance.html", context, status=status)

"""Set-up: who sends leads, the address each posts to, and its secrets, shown once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from rooftree.capture import (
    flood,
    instructions,
    judge,
    source_credentials,
    source_settings,
    source_setup,
)
from rooftree.capture.imports import stage
from rooftree.capture.source_setup import Opened
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import staff
from rooftree.web.staff_forms import Dollars, Lines, StaffForm, choice, number, text, yes, zone
from rooftree.web.views.setup import must


class SourceForm(StaffForm):
    """One source."""

    adapter = choice("How leads arrive", [(key, one.LABEL) for key, one in SOURCES.items()])
    name = text("Name", "As staff see it", longest=120)
    cost_cents = Dollars("Cost of a lead, $", "Empty: as each delivery says")
    expected_gap = number(
        "Alarm after hours of silence",
        "Empty: by its own pauses",
        least=1,
        most=720,
        required=False,
    )
    per_minute = number(
        "Most deliveries a minute",
        "More are asked to come again. Empty: no limit",
        least=10,
        most=1_000_000,
        required=False,
    )
    zone = zone("Its times are in", "Where a delivery names no zone")
    allowed_origins = Lines("Websites of the form", "As https://www.example.com, one a line")
    is_test = yes("Only tests: its leads are counted nowhere")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: Source | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        if itself:
            del self.fields["adapter"]
            if itself.adapter != "website_form":
                del self.fields["allowed_origins"]
            if itself.adapter in stage.KINDS:
                del self.fields["expected_gap"], self.fields["zone"], self.fields["per_minute"]

    def facts(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        if "expected_gap" in typed:
            gap = typed["expected_gap"]
            typed["expected_gap"] = timedelta(hours=gap) if gap else None
        return typed


@staff("GET", "POST")
def sources(request: HttpRequest) -> HttpResponse:
    """Every source, and a new one."""
    must(request.user, "edit_sources")
    initial = {
        "zone": "America/New_York",
        "per_minute": flood.USUAL,
        "adapter": request.GET.get("adapter", "generic"),
    }
    form = SourceForm(request.POST or None, initial=initial)

    def create(_: dict[str, Any]) -> Opened:
        facts = form.facts()
        adapter, name = facts.pop("adapter"), facts.pop("name")
        if adapter != "website_form":
            facts["allowed_origins"] = []
        return source_setup.create(
            adapter=adapter, name=name, details=facts, by=request.user, at=request.at
        )

    if request.method == "POST" and form.carried_out(create):
        return _source_page(request, form.made.source, opened=form.made, is_new=True)
    rows = [
        {"source": one, "label": source_setup.label_of(one)}
        for one in Source.objects.order_by("name")
    ]
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/sources.html", {"rows": rows, "form": form}, status=status)


@staff("GET", "POST")
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """One source: what it costs, when it is missed, where its form may stand."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    if request.method == "GET":
        return _source_page(request, one)
    form = SourceForm(request.POST, itself=one)

    def change(_: dict[str, Any]) -> Source:
        return source_setup.change(
            source_id=one.pk, by=request.user, at=request.at, details=form.facts()
        )

    if form.carried_out(change):
        return done(request, f"{form.made.name} is kept", back_to=reverse("setup_sources"))
    return _source_page(request, one, form=form, status=422)


@staff("POST")
def secrets(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """A new address and secret; the old ones are turned away from now on."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    opened = source_setup.renew_secrets(source_id=one.pk, by=request.user, at=request.at)
    return _source_page(request, opened.source, opened=opened)


@staff("POST")
def pause(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Turn deliveries away, or take them again."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    resumes = request.POST.get("to") == "on"
    act = source_setup.resume if resumes else source_setup.pause
    act(source_id=one.pk, by=request.user, at=request.at)
    said = "is taken again" if resumes else "is turned away until you resume"
    return done(request, f"{one.name} {said}", back_to=reverse("setup_source", args=[one.pk]))


@sensitive_variables("opened")
def _curl(one: Source, address: str, opened: Opened | None) -> str:
    """Commands that post a lead; with its secret only at the moment that is shown."""
    if not instructions.are_there(one):
        return ""
    return instructions.curl(one, address, *([opened.secret] if opened else []))


def _source_page(request: HttpRequest, one: Source, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    opened: Opened | None = more.get("opened")
    addresses = source_setup.addresses_of(one, one.token if opened else "")
    gap = one.expected_gap
    initial = {
        **{name: getattr(one, name) for name in source_setup.EDITABLE},
        "expected_gap": int(gap.total_seconds() // 3600) if gap else None,
    }
    is_form = one.adapter == "website_form"
    context = {
        "source": one,
        "label": source_setup.label_of(one),
        "address": "\n".join(addresses),
        "curl": _curl(one, addresses[0], opened),
        "is_mapped": one.adapter in source_setup.PROVEN_AS_CHOSEN,
        "credentials": source_credentials.asked_of(one),
        "missing": [] if one.adapter in stage.KINDS else source_credentials.missing_of(one),
        "takes_posts": one.adapter not in stage.KINDS,
        "can_be_limited": judge.can_be_limited(one),
        "settings": source_settings.asked_of(one),
        "hosted": f"{settings.PUBLIC_URL}{reverse('lead_form', args=[one.slug])}"
        if is_form
        else "",
        "form": more.pop("form", None) or SourceForm(initial=initial, itself=one),
        **more,
    }
    return render(request, "setup/source.html", context, status=status)

"""Set-up: who sends leads, the address each posts to, and its secrets, shown once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from rooftree.capture.imports import import_staging
from rooftree.capture.intake import flood_limits, source_limits_check
from rooftree.capture.source_setup import (
    adapter_settings,
    manage_sources,
    posting_instructions,
    vendor_credentials,
)
from rooftree.capture.source_setup.manage_sources import SourceWithSecrets
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.web.setup.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    DollarsField,
    LinesField,
    StaffForm,
    checkbox_field,
    choice_field,
    integer_field,
    text_field,
    zone_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


class SourceForm(StaffForm):
    """One source."""

    adapter = choice_field("How leads arrive", [(key, one.LABEL) for key, one in SOURCES.items()])
    name = text_field("Name", "As staff see it", max_length=120)
    cost_cents = DollarsField("Cost of a lead, $", "Empty: as each delivery says")
    expected_gap = integer_field(
        "Alarm after hours of silence",
        "Empty: by its own pauses",
        min_value=1,
        max_value=720,
        required=False,
    )
    per_minute = integer_field(
        "Most deliveries a minute",
        "More are asked to come again. Empty: no limit",
        min_value=10,
        max_value=1_000_000,
        required=False,
    )
    zone = zone_field("Its times are in", "Where a delivery names no zone")
    allowed_origins = LinesField("Websites of the form", "As https://www.example.com, one a line")
    is_test = checkbox_field("Only tests: its leads are counted nowhere")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        itself: Source | None = kwargs.pop("itself", None)
        super().__init__(*args, **kwargs)
        if itself:
            del self.fields["adapter"]
            if itself.adapter != "website_form":
                del self.fields["allowed_origins"]
            if itself.adapter in import_staging.RECORD_FORMATS:
                del self.fields["expected_gap"], self.fields["zone"], self.fields["per_minute"]

    def source_columns(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        if "expected_gap" in typed:
            gap = typed["expected_gap"]
            typed["expected_gap"] = timedelta(hours=gap) if gap else None
        return typed


@staff_view("GET", "POST")
def list_source_setups(request: StaffRequest) -> HttpResponse:
    """Every source, and a new one."""
    require_permission(request.user, "edit_sources")
    initial = {
        "zone": "America/New_York",
        "per_minute": flood_limits.DEFAULT_PER_MINUTE,
        "adapter": request.GET.get("adapter", "generic"),
    }
    form = SourceForm(request.POST or None, initial=initial)

    def create(_: dict[str, Any]) -> SourceWithSecrets:
        facts = form.source_columns()
        adapter, name = facts.pop("adapter"), facts.pop("name")
        if adapter != "website_form":
            facts["allowed_origins"] = []
        return manage_sources.create_source(
            adapter=adapter, name=name, details=facts, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(create):
        return _render_source(request, form.result.source, opened=form.result, is_new=True)
    rows = [
        {"source": source, "label": manage_sources.adapter_label(source)}
        for source in Source.objects.order_by("name")
    ]
    status = 422 if request.method == "POST" else 200
    return render(request, "sources/setup_list.html", {"rows": rows, "form": form}, status=status)


@staff_view("GET", "POST")
def edit_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """One source: what it costs, when it is missed, where its form may stand."""
    require_permission(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    if request.method == "GET":
        return _render_source(request, one)
    form = SourceForm(request.POST, source=one)

    def change(_: dict[str, Any]) -> Source:
        return manage_sources.update_source(
            source_id=one.pk, by=request.user, at=request.at, details=form.source_columns()
        )

    if form.submit(change):
        return respond_done(request, f"{form.result.name} is kept", back_to=reverse("setup_sources"))
    return _render_source(request, one, form=form, status=422)


@staff_view("POST")
def renew_secrets(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """A new address and secret; the old ones are turned away from now on."""
    require_permission(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    opened = manage_sources.renew_secrets(source_id=one.pk, by=request.user, at=request.at)
    return _render_source(request, opened.source, opened=opened)


@staff_view("POST")
def switch_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Turn deliveries away, or take them again."""
    require_permission(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    resumes = request.POST.get("to") == "on"
    act = manage_sources.resume_source if resumes else manage_sources.pause_source
    act(source_id=one.pk, by=request.user, at=request.at)
    said = "is taken again" if resumes else "is turned away until you resume"
    return respond_done(
        request, f"{one.name} {said}", back_to=reverse("setup_source", args=[one.pk])
    )


@sensitive_variables("opened")
def _curl_example(one: Source, address: str, opened: SourceWithSecrets | None) -> str:
    """Commands that post a lead; with its secret only at the moment that is shown."""
    if not posting_instructions.has_instructions(one):
        return ""
    return posting_instructions.curl_commands(one, address, *([opened.secret] if opened else []))


def _render_source(request: StaffRequest, one: Source, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    opened: SourceWithSecrets | None = more.get("opened")
    addresses = manage_sources.source_addresses(one, one.token if opened else "")
    gap = one.expected_gap
    initial = {
        **{name: getattr(one, name) for name in manage_sources.EDITABLE},
        "expected_gap": int(gap.total_seconds() // 3600) if gap else None,
    }
    is_form = one.adapter == "website_form"
    context = {
        "source": one,
        "label": manage_sources.adapter_label(one),
        "address": "\n".join(addresses),
        "curl": _curl_example(one, addresses[0], opened),
        "is_mapped": one.adapter in manage_sources.ADAPTERS_WITH_PROOF_CHOICE,
        "credentials": vendor_credentials.required_credentials(one),
        "missing": []
        if one.adapter in import_staging.RECORD_FORMATS
        else vendor_credentials.missing_credentials(one),
        "takes_posts": one.adapter not in import_staging.RECORD_FORMATS,
        "can_be_limited": source_limits_check.can_be_limited(one),
        "settings": adapter_settings.available_settings(one),
        "hosted": f"{settings.PUBLIC_URL}{reverse('lead_form', args=[one.slug])}"
        if is_form
        else "",
        "form": more.pop("form", None) or SourceForm(initial=initial, source=one),
        **more,
    }
    return render(request, "sources/setup.html", context, status=status)

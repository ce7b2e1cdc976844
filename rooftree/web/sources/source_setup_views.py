"""Setup of lead sources: their settings, post addresses, and secrets, which are shown once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from rooftree.capture.imports import import_staging
from rooftree.capture.intake import source_admission, source_limits_check
from rooftree.capture.source_setup import (
    adapter_settings,
    manage_sources,
    posting_instructions,
    text_requirements,
    vendor_credentials,
)
from rooftree.capture.source_setup.manage_sources import SourceWithSecrets
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Source
from rooftree.routing.permissions import has_permission
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
from rooftree.web.shared.staff_view import require_permission, staff_view


class SourceForm(StaffForm):
    """A new source, or with `source` the settings of an existing one."""

    CONDITIONALLY_REQUIRED = frozenset({"allowed_origins"})  # of a website form
    adapter = choice_field(
        "Type",
        [
            (key, adapter.LABEL)
            for key, adapter in SOURCES.items()
            if not getattr(adapter, "IS_INTERNAL", False)
        ],
    )
    name = text_field("Name", "Staff see this name", max_length=120)
    cost_cents = DollarsField(
        "Cost per lead, $",
        "Empty: read from each delivery. For another day, use Prices on the Money page",
    )
    expected_gap = integer_field(
        "Alert after, hours without a lead",
        "Empty: based on the source’s usual gaps",
        min_value=1,
        max_value=720,
        required=False,
    )
    per_minute = integer_field(
        "Maximum deliveries per minute",
        "Senders are asked to retry beyond this. Empty: no limit",
        min_value=10,
        max_value=1_000_000,
        required=False,
    )
    zone = zone_field("Time zone", "For times without a zone")
    allowed_origins = LinesField(
        "Websites with the form",
        "For a website form, at least one. One per line, for example https://www.example.com",
    )
    is_test = checkbox_field("Test source", "Its leads don’t count in any report")

    def __init__(self, *args: Any, source: Source | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if source:
            del self.fields["adapter"]
            if source.adapter != "website_form":
                del self.fields["allowed_origins"]
            if source.adapter in import_staging.RECORD_FORMATS:
                del self.fields["expected_gap"], self.fields["zone"], self.fields["per_minute"]

    def source_columns(self) -> dict[str, Any]:
        """Return the typed values as columns of `Source`."""
        typed = dict(self.cleaned_data)
        if "expected_gap" in typed:
            gap = typed["expected_gap"]
            typed["expected_gap"] = timedelta(hours=gap) if gap else None
        return typed


@staff_view("GET", "POST")
def list_source_setups(request: StaffRequest) -> HttpResponse:
    """List the sources; a POST adds one and shows its address once."""
    require_permission(request.user, "edit_sources")
    initial = {
        "zone": "America/New_York",
        "per_minute": source_admission.DEFAULT_PER_MINUTE,
        "adapter": request.GET.get("adapter", "generic"),
    }
    form = SourceForm(request.POST or None, initial=initial)

    def create(_: dict[str, Any]) -> SourceWithSecrets:
        columns = form.source_columns()
        adapter, name = columns.pop("adapter"), columns.pop("name")
        if adapter != "website_form":
            columns["allowed_origins"] = []
        return manage_sources.create_source(
            adapter=adapter, name=name, details=columns, by=request.user, at=request.at
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
    """Show one source's settings; a POST saves them."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    if request.method == "GET":
        return _render_source(request, source)
    form = SourceForm(request.POST, source=source)

    def save(_: dict[str, Any]) -> Source:
        return manage_sources.update_source(
            source_id=source.pk, by=request.user, at=request.at, details=form.source_columns()
        )

    if form.submit(save):
        return respond_done(request, f"{form.result.name} saved", back_to=reverse("setup_sources"))
    return _render_source(request, source, form=form, status=422)


@staff_view("POST")
def renew_secrets(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Create a new address and secret, shown once; the old ones stop working at once."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    opened = manage_sources.renew_secrets(source_id=source.pk, by=request.user, at=request.at)
    return _render_source(request, opened.source, opened=opened)


@staff_view("POST")
def switch_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Pause a source, so that its deliveries are rejected, or resume it."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    resumes = request.POST.get("to") == "on"
    act = manage_sources.resume_source if resumes else manage_sources.pause_source
    act(source_id=source.pk, by=request.user, at=request.at)
    return respond_done(
        request,
        f"{source.name} {'resumed' if resumes else 'paused'}",
        back_to=reverse("setup_source", args=[source.pk]),
    )


@sensitive_variables("opened")
def _curl_example(source: Source, address: str, opened: SourceWithSecrets | None) -> str:
    """Return commands that post a lead; they hold the secret only right after its creation."""
    if not posting_instructions.has_instructions(source):
        return ""
    secrets = [opened.secret] if opened else []
    return posting_instructions.curl_commands(source, address, *secrets)


def _render_source(
    request: StaffRequest,
    source: Source,
    *,
    form: SourceForm | None = None,
    opened: SourceWithSecrets | None = None,
    is_new: bool = False,
    status: int = 200,
) -> HttpResponse:
    addresses = manage_sources.source_addresses(source, source.token if opened else "")
    gap = source.expected_gap
    initial = {
        **{name: getattr(source, name) for name in manage_sources.EDITABLE},
        "expected_gap": int(gap.total_seconds() // 3600) if gap else None,
    }
    takes_posts = source.adapter not in import_staging.RECORD_FORMATS
    labels = [setting.label for setting in adapter_settings.available_settings(source)]
    consent = text_requirements.latest_consent(source)
    needs = text_requirements.list_text_requirements(consent) if consent else []
    form_url = f"{settings.PUBLIC_URL}{reverse('lead_form', args=[source.slug])}"
    context = {
        "source": source,
        "label": manage_sources.adapter_label(source),
        "address": "\n".join(addresses),
        "curl": _curl_example(source, addresses[0], opened),
        "is_mapped": source.adapter in manage_sources.ADAPTERS_WITH_PROOF_CHOICE,
        "credentials": vendor_credentials.required_credentials(source),
        "missing": vendor_credentials.missing_credentials(source) if takes_posts else [],
        "takes_posts": takes_posts,
        "can_be_limited": source_limits_check.can_be_limited(source),
        "setting_labels": ", ".join([*labels[:1], *(label.lower() for label in labels[1:])]),
        "hosted": form_url if source.adapter == "website_form" else "",
        "form": form or SourceForm(initial=initial, source=source),
        "opened": opened,
        "is_new": is_new,
        "consent": consent,
        "text_needs": needs,
        "met_needs": sum(need.is_met for need in needs),
        "may_edit_terms": has_permission(request.user, "see_compliance"),
    }
    return render(request, "sources/setup.html", context, status=status)

"""Acceptance rules of a source: which inquiries are accepted, with a preview on past leads."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.intake import source_limits_check
from rooftree.capture.source_setup import limits_preview, manage_sources
from rooftree.capture.source_setup.acceptance_limits import (
    REQUIRABLE_FIELDS,
    limits_to_json,
    vendor_reason_for,
)
from rooftree.leads.models import Delivery, Source
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import checkbox_field, checkboxes_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources.limit_forms import BUDGET_FIELDS, CAP_FIELDS, LimitsForm


class AcceptanceRulesForm(LimitsForm):
    """What an inquiry of a source must be to be accepted."""

    licensed_only = checkbox_field(
        "Only states where you’re licensed",
        "Both the company and an officer. Leads without a state are accepted",
    )
    required = checkboxes_field("Required fields", REQUIRABLE_FIELDS.items())

    FIELDSETS = (
        ("Requirements", ("licensed_only", "required", "duplicate_days")),
        ("Maximum leads", CAP_FIELDS),
        ("Maximum spend", BUDGET_FIELDS),
    )


@staff_view("GET", "POST")
def edit_acceptance(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the acceptance rules and what they refused lately; a POST applies new ones."""
    source = _get_limitable_source(request, source_id)
    if request.method == "GET":
        stored = limits_to_json(source_limits_check.source_limits(source))
        return _render_page(
            request, source, AcceptanceRulesForm(initial={"duplicate_days": 0, **stored})
        )
    form = AcceptanceRulesForm(request.POST)

    def save(_: dict[str, Any]) -> Source:
        return manage_sources.save_setup_part(
            "acceptance",
            limits_to_json(form.limits()),
            source_id=source.pk,
            by=request.user,
            at=request.at,
        )

    if form.submit(save):
        back_to = reverse("source_acceptance", args=[source.pk])
        return respond_done(request, f"Limits of {source.name} applied", back_to=back_to)
    return _render_page(request, source, form, status=422)


@staff_view("POST")
def preview_acceptance(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Apply the typed rules to the last 30 days; store nothing."""
    source = _get_limitable_source(request, source_id)
    form = AcceptanceRulesForm(request.POST)
    if not form.is_valid():
        return _render_page(request, source, form, status=422)
    preview = limits_preview.preview_limits(source, form.limits(), at=request.at)
    groups = [(vendor_reason_for(group.reason_code), group) for group in preview.refused_groups]
    return _render_page(request, source, form, preview=preview, refused_groups=groups)


def _get_limitable_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    if not source_limits_check.can_be_limited(source):
        raise Http404
    return source


def _render_page(
    request: StaffRequest,
    source: Source,
    form: AcceptanceRulesForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    refused = Delivery.objects.filter(
        source=source,
        outcome="not_accepted",
        received_at__gt=request.at - limits_preview.PREVIEW_PERIOD,
    )
    counts = refused.values_list("reason").annotate(number=Count("pk")).order_by("-number")
    context = {
        "source": source,
        "form": form,
        "tells_reason": source_limits_check.rejection_answer_for(source) is not None,
        "refused": [(vendor_reason_for(reason), number) for reason, number in counts],
        **more,
    }
    return render(request, "sources/acceptance_rules.html", context, status=status)

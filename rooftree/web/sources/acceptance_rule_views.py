"""Which inquiries of a source are taken, tried on what it brought before they hold."""

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
    """What an inquiry of this source must be."""

    licensed_only = checkbox_field(
        "Only where we are licensed", "The company, and an officer. No state said: taken"
    )
    required = checkboxes_field(
        "It must come with", [(key, said) for key, said in REQUIRABLE_FIELDS.items()]
    )

    FIELDSETS = (
        ("What it must be", ("licensed_only", "required", "duplicate_days")),
        ("At most", CAP_FIELDS),
        ("For at most", BUDGET_FIELDS),
    )


@staff_view("GET", "POST")
def edit_acceptance(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Set the limits, or look at them and at what they refused."""
    source = _get_limitable_source(request, source_id)
    if request.method == "GET":
        kept = limits_to_json(source_limits_check.source_limits(source))
        return _render_page(
            request, source, AcceptanceRulesForm(initial={"duplicate_days": 0, **kept})
        )
    form = AcceptanceRulesForm(request.POST)

    def keep(_: dict[str, Any]) -> Source:
        return manage_sources.save_setup_part(
            "acceptance",
            limits_to_json(form.limits()),
            source_id=source.pk,
            by=request.user,
            at=request.at,
        )

    if form.submit(keep):
        back_to = reverse("source_acceptance", args=[source.pk])
        return respond_done(request, f"{source.name} is held to these from now on", back_to=back_to)
    return _render_page(request, source, form, status=422)


@staff_view("POST")
def preview_acceptance(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """What was typed, tried on the last thirty days. Nothing is kept of it."""
    source = _get_limitable_source(request, source_id)
    form = AcceptanceRulesForm(request.POST)
    if not form.is_valid():
        return _render_page(request, source, form, status=422)
    run = limits_preview.preview_limits(source, form.limits(), at=request.at)
    tried = [(vendor_reason_for(one.reason_code), one) for one in run.refused_groups]
    return _render_page(request, source, form, run=run, tried=tried)


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
        "hears_why": source_limits_check.rejection_answer_for(source) is not None,
        "refused": [(vendor_reason_for(why), number) for why, number in counts],
        **more,
    }
    return render(request, "sources/acceptance_rules.html", context, status=status)

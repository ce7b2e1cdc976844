"""The baseline of a source: what was agreed vs. what it delivers, and the end of its audit."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.source_setup import baseline, source_health_alerts
from rooftree.capture.source_setup.manage_sources import BadSource
from rooftree.leads.models import Source
from rooftree.money import vendor_contracts
from rooftree.money.company_day import company_day
from rooftree.org.models import User
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    DollarsField,
    StaffForm,
    choice_field,
    integer_field,
    row_choices,
    text_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

UNKNOWN = "Not known yet"


class BaselineForm(StaffForm):
    """What was agreed with a source and is expected of it."""

    per_week = integer_field(
        "Leads per week", "As promised", min_value=1, max_value=1_000_000, required=False
    )
    contactable_pct = integer_field(
        "Reachable leads, %",
        "Leads with a phone number that belongs to the borrower",
        min_value=1,
        max_value=100,
        required=False,
    )
    price_cents = DollarsField("Price per lead, $", "0 if it costs nothing")
    exclusive = choice_field(
        "Exclusivity", [("", UNKNOWN), *baseline.EXCLUSIVITY_LABELS.items()], required=False
    )
    contact = text_field(
        "Contact at the vendor", "Who to call if something breaks", required=False, max_length=200
    )

    FIELDSETS = (
        ("Agreed", ("per_week", "contactable_pct", "price_cents", "exclusive")),
        ("People", ("contact", "watcher_id")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        users = User.objects.filter(is_active=True).order_by("name")
        watcher = choice_field(
            "Notify when silent or below quality", row_choices(users, "No one yet"), required=False
        )
        super().__init__(*args, extra_fields={"watcher_id": watcher}, **kwargs)

    def baseline_columns(self) -> dict[str, Any]:
        """Return the typed values as columns of `Baseline`."""
        typed = dict(self.cleaned_data)
        watcher = typed["watcher_id"]
        return {**typed, "watcher_id": UUID(watcher) if watcher else None}


@staff_view("GET", "POST")
def edit_baseline(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the baseline of a source; a POST saves it."""
    source = _get_source(request, source_id)
    if request.method == "GET":
        return _render_page(request, source)
    form = BaselineForm(request.POST)

    def save(_: dict[str, Any]) -> Any:
        return baseline.save_baseline(
            source_id=source.pk, facts=form.baseline_columns(), by=request.user, at=request.at
        )

    if form.submit(save):
        return respond_done(request, f"Baseline of {source.name} saved", back_to=_page_url(source))
    return _render_page(request, source, form=form, status=422)


@staff_view("POST")
def waive_part(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Waive one part of the baseline in the user's name."""
    source = _get_source(request, source_id)
    part = request.POST.get("part", "")

    def waive() -> str:
        baseline.waive_part(
            source_id=source.pk,
            part=part,
            why=request.POST.get("why", ""),
            by=request.user,
            at=request.at,
        )
        return f"{baseline.BASELINE_PARTS[part]} waived in your name"

    return _apply_and_respond(request, source, waive)


@staff_view("POST")
def launch_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """End the audit of a source."""
    source = _get_source(request, source_id)

    def launch() -> str:
        baseline.launch_source(source_id=source.pk, by=request.user, at=request.at)
        return f"{source.name} launched"

    return _apply_and_respond(request, source, launch)


def _apply_and_respond(
    request: StaffRequest, source: Source, act: Callable[[], str]
) -> HttpResponse:
    """Carry out `act`, which returns the toast, or show why it can't be done."""
    try:
        message = act()
    except BadSource as problem:
        return _render_page(request, source, problem=str(problem), status=422)
    return respond_done(request, message, back_to=_page_url(source))


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    return get_object_or_404(
        Source.objects.exclude(adapter__in=source_health_alerts.FILE_ADAPTERS), pk=source_id
    )


def _page_url(source: Source) -> str:
    return reverse("source_baseline", args=[source.pk])


def _render_page(
    request: StaffRequest,
    source: Source,
    *,
    form: BaselineForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    stored = baseline.get_baseline(source)
    initial = {name: getattr(stored, name) for name in baseline.EDITABLE}
    context = {
        "source": source,
        "baseline": stored,
        "contract": vendor_contracts.find_contract_in_force(source.pk, company_day(request.at)),
        "actual": source_health_alerts.measure_source(source, at=request.at),
        "missing": [
            (part, baseline.BASELINE_PARTS[part]) for part in baseline.missing_parts(stored)
        ],
        "waived": [
            (baseline.BASELINE_PARTS[part], waiver)
            for part, waiver in stored.waived.items()
            if not baseline.is_given(stored, part)
        ],
        "form": form or BaselineForm(initial=initial),
        "problem": problem,
    }
    return render(request, "sources/baseline.html", context, status=status)

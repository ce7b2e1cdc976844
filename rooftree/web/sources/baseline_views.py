"""What is agreed with a source and expected of it, beside what it brings; the end of its audit."""

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
    """What is agreed and expected."""

    per_week = integer_field("Leads a week", "As promised", min_value=1, max_value=1_000_000, required=False)
    contactable_pct = integer_field(
        "Of 100, can be reached", "Have a number that is theirs", min_value=1, max_value=100, required=False
    )
    price_cents = DollarsField("Price of a lead, $", "0 where it costs nothing")
    exclusive = choice_field(
        "Sold", [("", UNKNOWN), *baseline.EXCLUSIVITY_LABELS.items()], required=False
    )
    contact = text_field(
        "Contact at the vendor", "Who to call when it goes wrong", required=False, max_length=200
    )

    FIELDSETS = (
        ("What it brings", ("per_week", "contactable_pct", "price_cents", "exclusive")),
        ("Who answers for it", ("contact", "watcher_id")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        people = User.objects.filter(is_active=True).order_by("name")
        watcher = choice_field(
            "Hears when it falls silent or gets worse",
            row_choices(people, "Nobody yet"),
            required=False,
        )
        super().__init__(*args, more={"watcher_id": watcher}, **kwargs)

    def baseline_columns(self) -> dict[str, Any]:
        """What was typed, as columns."""
        typed = dict(self.cleaned_data)
        watcher = typed["watcher_id"]
        return {**typed, "watcher_id": UUID(watcher) if watcher else None}


@staff_view("GET", "POST")
def edit_baseline(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Write it down, or look at it."""
    source = _get_source(request, source_id)
    if request.method == "GET":
        return _render_page(request, source)
    form = BaselineForm(request.POST)

    def agree(_: dict[str, Any]) -> Any:
        return baseline.save_baseline(
            source_id=source.pk, facts=form.baseline_columns(), by=request.user, at=request.at
        )

    if form.submit(agree):
        return respond_done(
            request, f"The baseline of {source.name} is kept", back_to=_page_url(source)
        )
    return _render_page(request, source, form=form, status=422)


@staff_view("POST")
def waive_part(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Do without one part of it, in one's own name."""
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
        return f"{baseline.BASELINE_PARTS[part]} is waived by you"

    return _apply_and_respond(request, source, waive)


@staff_view("POST")
def launch_source(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """End the audit."""
    source = _get_source(request, source_id)

    def act() -> str:
        baseline.launch_source(source_id=source.pk, by=request.user, at=request.at)
        return f"{source.name} is launched"

    return _apply_and_respond(request, source, act)


def _apply_and_respond(
    request: StaffRequest, source: Source, act: Callable[[], str]
) -> HttpResponse:
    try:
        said = act()
    except BadSource as problem:
        return _render_page(request, source, problem=str(problem), status=422)
    return respond_done(request, said, back_to=_page_url(source))


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    return get_object_or_404(
        Source.objects.exclude(adapter__in=source_health_alerts.FILE_ADAPTERS), pk=source_id
    )


def _page_url(source: Source) -> str:
    return reverse("source_baseline", args=[source.pk])


def _render_page(
    request: StaffRequest, source: Source, *, status: int = 200, **more: Any
) -> HttpResponse:
    held = baseline.get_baseline(source)
    initial = {name: getattr(held, name) for name in baseline.EDITABLE}
    missing = baseline.missing_parts(held)
    context = {
        "source": source,
        "held": held,
        "contract": vendor_contracts.contract_in_force(source.pk, company_day(request.at)),
        "brings": source_health_alerts.measure_source(source, at=request.at),
        "missing": [(part, baseline.BASELINE_PARTS[part]) for part in missing],
        "waived": [
            (baseline.BASELINE_PARTS[part], said)
            for part, said in held.waived.items()
            if not baseline.is_given(held, part)
        ],
        "form": more.pop("form", None) or BaselineForm(initial=initial),
        **more,
    }
    return render(request, "sources/baseline.html", context, status=status)

"""What staff tell the adapter of a source, one field for each thing it asks."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.parsing.envelope import SettingKind
from rooftree.capture.source_setup import adapter_settings
from rooftree.leads.models import Source
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import LinesField, StaffForm, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class AdapterSettingsForm(StaffForm):
    """The settings of one adapter."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        asked = adapter_settings.available_settings(source)
        kwargs["initial"] = {
            available_setting.key: adapter_settings.editable_value(
                available_setting, source.setup.get(available_setting.key)
            )
            for available_setting in asked
        }
        fields = {
            available_setting.key: FIELD_BUILDERS[available_setting.kind](
                available_setting.label, available_setting.help
            )
            for available_setting in asked
        }
        super().__init__(*args, more=fields, **kwargs)


LINE_FIELD = partial(text_field, required=False)
FIELD_BUILDERS: dict[SettingKind, Callable[[str, str], Any]] = {
    SettingKind.TEXT: LINE_FIELD,
    SettingKind.PHONE: LINE_FIELD,
    SettingKind.LINES: LinesField,
    SettingKind.PAIRS: LinesField,
}


@staff_view("GET", "POST")
def edit_settings(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Type them, or look at them."""
    require_permission(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    form = AdapterSettingsForm(request.POST or None, source=one)

    def tell(typed: dict[str, Any]) -> Source:
        return adapter_settings.save_settings(
            source_id=one.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(tell):
        return respond_done(
            request, f"{one.name} is kept", back_to=reverse("setup_source", args=[one.pk])
        )
    status = 422 if request.method == "POST" else 200
    context = {"source": one, "form": form}
    return render(request, "sources/adapter_settings.html", context, status=status)

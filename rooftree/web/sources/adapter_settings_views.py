"""Settings of a source's adapter, one form field per setting."""

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
from rooftree.web.shared.staff_forms import LinesField, StaffForm, checkbox_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

LINE_FIELD = partial(text_field, required=False)
FIELD_BUILDERS: dict[SettingKind, Callable[[str, str], Any]] = {
    SettingKind.TEXT: LINE_FIELD,
    SettingKind.PHONE: LINE_FIELD,
    SettingKind.LINES: LinesField,
    SettingKind.PAIRS: LinesField,
    SettingKind.YES_NO: checkbox_field,
}


class AdapterSettingsForm(StaffForm):
    """The settings of one adapter."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        settings = adapter_settings.available_settings(source)
        kwargs["initial"] = {
            setting.key: adapter_settings.editable_value(setting, source.setup.get(setting.key))
            for setting in settings
        }
        fields = {
            setting.key: FIELD_BUILDERS[setting.kind](setting.label, setting.help)
            for setting in settings
        }
        super().__init__(*args, extra_fields=fields, **kwargs)


@staff_view("GET", "POST")
def edit_settings(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the adapter settings of a source; a POST saves them."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    form = AdapterSettingsForm(request.POST or None, source=source)

    def save(typed: dict[str, Any]) -> Source:
        return adapter_settings.save_settings(
            source_id=source.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, f"{source.name} saved", back_to=reverse("setup_source", args=[source.pk])
        )
    status = 422 if request.method == "POST" else 200
    context = {"source": source, "form": form}
    return render(request, "sources/adapter_settings.html", context, status=status)

"""What staff tell the adapter of a source, one field for each thing it asks."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import source_settings
from rooftree.capture.envelope import SettingKind
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, StaffForm, text


class SettingsForm(StaffForm):
    """The settings of one adapter."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        asked = source_settings.asked_of(source)
        kwargs["initial"] = {
            one.key: source_settings.lines_of(one, source.setup.get(one.key)) for one in asked
        }
        fields = {one.key: MAKE[one.kind](one.label, one.help) for one in asked}
        super().__init__(*args, more=fields, **kwargs)


LINE = partial(text, required=False)
MAKE: dict[SettingKind, Callable[[str, str], Any]] = {
    SettingKind.TEXT: LINE,
    SettingKind.PHONE: LINE,
    SettingKind.LINES: Lines,
    SettingKind.PAIRS: Lines,
}


@staff("GET", "POST")
def settings_page(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Type them, or look at them."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    form = SettingsForm(request.POST or None, source=one)

    def tell(typed: dict[str, Any]) -> Source:
        return source_settings.tell(source_id=one.pk, typed=typed, by=request.user, at=request.at)

    if request.method == "POST" and form.carried_out(tell):
        return done(request, f"{one.name} is kept", back_to=reverse("setup_source", args=[one.pk]))
    status = 422 if request.method == "POST" else 200
    context = {"source": one, "form": form}
    return render(request, "setup/source_settings.html", context, status=status)

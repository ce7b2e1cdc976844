"""What the vendor gave the company for a source: typed once, never shown again."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture import source_credentials
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import StaffForm, secret


class CredentialsForm(StaffForm):
    """One field for each thing the adapter needs; what is on file is not shown."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missing = {one.key for one in source_credentials.missing_of(source)}
        for one in source_credentials.asked_of(source):
            is_known = one.key not in missing
            said = "On file; leave it empty to keep it" if is_known else one.help
            field = secret(one.label, said)
            field.widget.attrs["class"] = "input"
            field.is_awaited = not is_known  # some may come later; none is a matter of taste
            self.fields[one.key] = field

    @property
    def sections(self) -> list[dict[str, Any]]:
        """All of them, under no heading."""
        return [{"title": "", "fields": [*self]}]


@sensitive_post_parameters()
@staff("GET", "POST")
def credentials(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Type them, or see which are missing."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    form: forms.Form = CredentialsForm(request.POST or None, source=one)

    def give(typed: dict[str, Any]) -> Source:
        return source_credentials.give(
            source_id=one.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.carried_out(give):
        return done(request, f"{one.name} is kept", back_to=reverse("setup_source", args=[one.pk]))
    context = {"source": one, "form": form, "missing": source_credentials.missing_of(one)}
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/source_credentials.html", context, status=status)

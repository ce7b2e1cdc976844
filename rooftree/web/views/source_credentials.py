"""What the vendor gave the company for a source: typed once, never shown again."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture import source_credentials
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import ON_FILE, StaffForm, secret


class CredentialsForm(StaffForm):
    """One field for each thing the adapter needs; what is on file is not shown."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        missing = source_credentials.missing_of(source)
        asked = source_credentials.asked_of(source)
        fields = {
            one.key: secret(one.label, one.help if one in missing else ON_FILE) for one in asked
        }
        for one in missing:  # some may come later; none is a matter of taste
            fields[one.key].is_awaited = True
        super().__init__(*args, more=fields, **kwargs)


@sensitive_post_parameters()
@staff("GET", "POST")
def credentials(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Type them, or see which are missing."""
    must(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    form = CredentialsForm(request.POST or None, source=one)

    def give(typed: dict[str, Any]) -> Source:
        return source_credentials.give(
            source_id=one.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.carried_out(give):
        return done(request, f"{one.name} is kept", back_to=reverse("setup_source", args=[one.pk]))
    context = {"source": one, "form": form, "missing": source_credentials.missing_of(one)}
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/source_credentials.html", context, status=status)

"""What the vendor gave the company for a source: typed once, never shown again."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from rooftree.capture.source_setup import vendor_credentials
from rooftree.leads.models import Source
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import SECRET_ON_FILE_HINT, StaffForm, secret_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


class CredentialsForm(StaffForm):
    """One field for each thing the adapter needs; what is on file is not shown."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        missing = vendor_credentials.missing_credentials(source)
        asked = vendor_credentials.required_credentials(source)
        fields = {
            required_credential.key: secret_field(
                required_credential.label,
                required_credential.help if required_credential in missing else SECRET_ON_FILE_HINT,
            )
            for required_credential in asked
        }
        for missing_credential in missing:  # some may come later; none is a matter of taste
            fields[missing_credential.key].is_awaited = True
        super().__init__(*args, more=fields, **kwargs)


@sensitive_post_parameters()
@staff_view("GET", "POST")
def edit_credentials(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Type them, or see which are missing."""
    require_permission(request.user, "edit_sources")
    one = get_object_or_404(Source, pk=source_id)
    form = CredentialsForm(request.POST or None, source=one)

    def give(typed: dict[str, Any]) -> Source:
        return vendor_credentials.save_credentials(
            source_id=one.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(give):
        return respond_done(
            request, f"{one.name} is kept", back_to=reverse("setup_source", args=[one.pk])
        )
    context = {"source": one, "form": form, "missing": vendor_credentials.missing_credentials(one)}
    status = 422 if request.method == "POST" else 200
    return render(request, "sources/credentials.html", context, status=status)

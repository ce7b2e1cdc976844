"""Vendor credentials of a source: entered once, never shown again."""

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
    """The credentials an adapter needs; values on file are not shown."""

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        missing = vendor_credentials.missing_credentials(source)
        fields: dict[str, Any] = {
            credential.key: secret_field(
                credential.label, credential.help if credential in missing else SECRET_ON_FILE_HINT
            )
            for credential in vendor_credentials.required_credentials(source)
        }
        super().__init__(*args, extra_fields=fields, **kwargs)
        # Missing credentials can be entered later, but aren't marked as optional.
        self.CONDITIONALLY_REQUIRED = frozenset(credential.key for credential in missing)


@sensitive_post_parameters()
@staff_view("GET", "POST")
def edit_credentials(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show which credentials of a source are missing; a POST saves new ones."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    form = CredentialsForm(request.POST or None, source=source)

    def save(typed: dict[str, Any]) -> Source:
        return vendor_credentials.save_credentials(
            source_id=source.pk, typed=typed, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        return respond_done(
            request, f"{source.name} saved", back_to=reverse("setup_source", args=[source.pk])
        )
    missing = vendor_credentials.missing_credentials(source)
    context = {"source": source, "form": form, "missing": missing}
    status = 422 if request.method == "POST" else 200
    return render(request, "sources/credentials.html", context, status=status)

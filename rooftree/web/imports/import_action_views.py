"""Actions on an import: start it, undo it, go back to its columns, archive it, read again."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from rooftree.capture.imports import crm_import, import_staging
from rooftree.capture.imports.import_staging import InvalidImport
from rooftree.capture.models import Spreadsheet
from rooftree.flow import spreadsheet_imports
from rooftree.org.models import User
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("POST")
def start_import(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Start the import of a checked file."""
    return _change_import(
        request, sheet_id, spreadsheet_imports.start_import,
        "Import started. You can leave this page",
    )  # fmt: skip


@staff_view("POST")
def undo_import(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Start to undo a finished import."""
    return _change_import(
        request, sheet_id, spreadsheet_imports.start_undo,
        "Undo started. Leads that someone is working stay",
    )  # fmt: skip


@staff_view("POST")
def declare_past_clients(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Declare the people of a finished import's source past clients."""
    change = partial(import_staging.declare_people, people="clients")
    return _change_import(
        request, sheet_id, change, "Past clients now. Home doesn’t count them as new leads"
    )


@staff_view("POST")
def declare_leads(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Undo it: the people of a finished import's source are leads."""
    change = partial(import_staging.declare_people, people="leads")
    return _change_import(request, sheet_id, change, "Leads again. Home counts them")


@staff_view("POST")
def reopen_columns(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Go back from the preview to the columns."""
    change = partial(import_staging.change_state, came_from=("checked",), to="columns")
    return _change_import(request, sheet_id, change, "Edit the columns, then preview again")


@staff_view("POST")
def archive_import(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Archive an import that has not started."""
    change = partial(
        import_staging.change_state, came_from=("reading", "columns", "checked"), to="dropped"
    )
    return _change_import(request, sheet_id, change, "Archived. Nothing was imported")


@staff_view("POST")
def retry_reading(request: StaffRequest, sheet_id: UUID) -> HttpResponse:
    """Read a CRM again now, after an error."""

    def retry(*, sheet_id: UUID, by: User, at: datetime) -> None:
        crm_import.retry_now(sheet_id=sheet_id, at=at)

    return _change_import(request, sheet_id, retry, "Trying again")


def _change_import(
    request: StaffRequest, sheet_id: UUID, change: Callable[..., object], toast: str
) -> HttpResponse:
    """Apply `change` to an import and confirm it with `toast`, or say why it can't be done."""
    require_permission(request.user, "edit_sources")
    sheet = get_object_or_404(Spreadsheet, pk=sheet_id)
    page_url = reverse("import", args=[sheet.pk])
    try:
        change(sheet_id=sheet.pk, by=request.user, at=request.at)
    except InvalidImport as bad:
        return respond_refused(request, str(bad), back_to=page_url)
    return respond_done(request, toast, back_to=page_url)

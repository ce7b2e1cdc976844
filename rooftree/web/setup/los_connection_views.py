"""Setup of LOS connections: address, credentials, webhook subscription."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.vendor_errors import VendorError
from rooftree.los import los_connections
from rooftree.los.los_connections import CREDENTIAL_FIELDS, PLAIN_FIELDS
from rooftree.los.models import Connection
from rooftree.web.setup.los_forms import (
    ConnectionForm,
    LenderFieldsForm,
    MilestoneMapForm,
    MilestoneNamesForm,
    OfficerLoginsForm,
)
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

LOS = "encompass"


@staff_view("GET", "POST")
def list_connections(request: StaffRequest) -> HttpResponse:
    """List the connections; a POST adds one."""
    require_permission(request.user, "edit_setup")
    form = ConnectionForm(
        request.POST or None, initial={"lead_id_field": "CX.ROOFTREELEADID", "name": "Encompass"}
    )

    def add(typed: dict[str, Any]) -> Connection:
        plain, credentials = _split_credentials(typed)
        return los_connections.add_connection(
            los=LOS, details=plain, credentials=credentials, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(add):
        page_url = reverse("setup_connection", args=[form.result.pk])
        toast = "Connection saved. Next: test it, subscribe and turn it on"
        return respond_done(request, toast, back_to=page_url)
    status = 422 if request.method == "POST" else 200
    rows = [
        (connection, los_connections.find_loans(connection).exclude(unmapped_statuses=[]).count())
        for connection in Connection.objects.order_by("name", "id")
    ]
    context = {"rows": rows, "form": form}
    return render(request, "setup/los_connections.html", context, status=status)


@staff_view("GET", "POST")
def edit_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Show one connection and its go-live steps; a POST saves its settings."""
    require_permission(request.user, "edit_setup")
    connection = get_object_or_404(Connection, pk=connection_id)
    initial = {name: getattr(connection, name) for name in PLAIN_FIELDS}
    is_on_file = los_connections.credentials_on_file(connection)
    form = ConnectionForm(request.POST or None, initial=initial, is_on_file=is_on_file)

    def save(typed: dict[str, Any]) -> Connection:
        plain, credentials = _split_credentials(typed)
        return los_connections.update_connection(
            connection_id=connection.pk, details=plain, credentials=credentials,
            by=request.user, at=request.at,
        )  # fmt: skip

    if request.method == "POST" and form.submit(save):
        return respond_done(request, f"{form.result.name} saved", back_to=request.path)
    if request.method == "POST":
        return render_connection(request, connection, status=422, form=form)
    return render_connection(request, connection)


def render_connection(
    request: StaffRequest, connection: Connection, *, status: int = 200, **forms: StaffForm
) -> HttpResponse:
    """Render the page of a connection; `forms` are submitted ones with errors, by their name."""
    is_on_file = los_connections.credentials_on_file(connection)
    initial = {name: getattr(connection, name) for name in PLAIN_FIELDS}
    context = {
        "connection": connection,
        "form": forms.get("form") or ConnectionForm(initial=initial, is_on_file=is_on_file),
        "milestones": forms.get("milestones") or MilestoneMapForm(connection=connection),
        "milestone_names": forms.get("names")
        or MilestoneNamesForm(initial={"names": connection.los_milestones}),
        "fields": forms.get("fields") or LenderFieldsForm(connection=connection),
        "officers": forms.get("officers") or OfficerLoginsForm(connection=connection),
        "paused_loans": los_connections.find_loans(connection)
        .exclude(unmapped_statuses=[])
        .select_related("lead__person"),
        "missing": [name.replace("_", " ") for name, is_set in is_on_file.items() if not is_set],
        "is_check_passed": connection.checked_at and connection.check_report.get("ok"),
        "is_check_failed": connection.check_report.get("ok") is False,
        "endpoint": los_connections.webhook_endpoint(connection, settings.PUBLIC_URL),
    }
    return render(request, "setup/los_connection.html", context, status=status)


@staff_view("POST")
def check_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Test a connection with its credentials."""
    connection, page_url = get_editable_connection(request, connection_id)
    problem = los_connections.check_connection(connection, at=request.at)
    if problem:
        return respond_refused(
            request, f"The connection doesn’t work yet. {problem}", back_to=page_url, status=422
        )
    return respond_done(request, "The connection works", back_to=page_url)


@staff_view("POST")
def subscribe_to_changes(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Subscribe to the changes of loans in the LOS."""
    connection, page_url = get_editable_connection(request, connection_id)
    try:
        los_connections.subscribe_to_changes(
            connection_id=connection.pk, site=settings.PUBLIC_URL, by=request.user, at=request.at
        )
    except los_connections.InvalidConnection as problem:
        return respond_refused(request, str(problem), back_to=page_url, status=422)
    except VendorError as problem:
        reason = f"Encompass didn’t accept the subscription. {problem}"
        return respond_refused(request, reason, back_to=page_url, status=422)
    return respond_done(request, "Subscribed to changes in Encompass", back_to=page_url)


@staff_view("POST")
def enable_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Turn a connection on, so that officers can hand off loans."""
    connection, page_url = get_editable_connection(request, connection_id)
    los_connections.enable_connection(connection_id=connection.pk, by=request.user, at=request.at)
    return respond_done(request, "Connection is on. Officers can hand off loans", back_to=page_url)


@staff_view("POST")
def disable_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Turn a connection off."""
    connection, page_url = get_editable_connection(request, connection_id)
    los_connections.disable_connection(connection_id=connection.pk, by=request.user, at=request.at)
    return respond_done(request, "Connection is off", back_to=page_url)


def get_editable_connection(request: StaffRequest, connection_id: UUID) -> tuple[Connection, str]:
    """Return a connection and the URL of its page, for a user who can edit it."""
    require_permission(request.user, "edit_setup")
    connection = get_object_or_404(Connection, pk=connection_id)
    return connection, reverse("setup_connection", args=[connection.pk])


def _split_credentials(typed: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain settings and the credentials."""
    plain = {name: typed[name] for name in PLAIN_FIELDS}
    return plain, {name: typed[name] for name in CREDENTIAL_FIELDS}

"""Setup of LOS connections: address, credentials, webhook subscription."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.vendor_errors import VendorError
from rooftree.los import connection_choice, connection_settings, los_connections
from rooftree.los.adapters import ADAPTERS, list_profiles, load_adapter_class, load_profile
from rooftree.los.los_adapter import ListsMilestones
from rooftree.los.models import Connection
from rooftree.web.setup.los_forms import (
    ConnectionForm,
    LeadsTakenForm,
    LenderFieldsForm,
    MilestoneMapForm,
    MilestoneNamesForm,
    OfficerLoginsForm,
)
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view


@staff_view("GET", "POST")
def list_connections(request: StaffRequest) -> HttpResponse:
    """List the connections; a POST adds one."""
    require_permission(request.user, "edit_setup")
    los = request.POST.get("los") or request.GET.get("los") or next(iter(ADAPTERS))
    if los not in ADAPTERS:
        raise Http404
    profile = load_profile(los)
    form = ConnectionForm(request.POST or None, profile=profile)

    def add(typed: dict[str, Any]) -> Connection:
        plain, credentials = form.split_typed(typed)
        return los_connections.add_connection(
            los=los, details=plain, credentials=credentials, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(add):
        page_url = reverse("setup_connection", args=[form.result.pk])
        toast = "Connection saved. Next: test it, get updates and turn it on"
        return respond_done(request, toast, back_to=page_url)
    status = 422 if request.method == "POST" else 200
    rows = [
        (connection, los_connections.find_loans(connection).exclude(unmapped_statuses=[]).count())
        for connection in connection_choice.list_connections()
    ]
    context = {"rows": rows, "form": form, "profile": profile, "profiles": list_profiles()}
    return render(request, "setup/los_connections.html", context, status=status)


@staff_view("GET", "POST")
def edit_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Show one connection and its go-live steps; a POST saves its settings."""
    require_permission(request.user, "edit_setup")
    connection = get_object_or_404(Connection, pk=connection_id)
    form = _build_settings_form(connection, request.POST or None)

    def save(typed: dict[str, Any]) -> Connection:
        plain, credentials = form.split_typed(typed)
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
    request: StaffRequest,
    connection: Connection,
    *,
    status: int = 200,
    new_password: str = "",
    **forms: StaffForm,
) -> HttpResponse:
    """Render the page of a connection; `forms` are submitted ones with errors, by their name.

    Args:
        new_password: for the LOS's posts to us, shown this once.
    """
    profile = load_profile(connection.los)
    context = {
        "connection": connection,
        "profile": profile,
        "new_password": new_password,
        "has_password": bool(connection.webhook_keys),
        "can_list_milestones": issubclass(load_adapter_class(connection.los), ListsMilestones),
        "form": forms.get("form") or _build_settings_form(connection),
        "leads": forms.get("leads") or LeadsTakenForm(connection=connection),
        "milestones": forms.get("milestones") or MilestoneMapForm(connection=connection),
        "milestone_names": forms.get("names")
        or MilestoneNamesForm(initial={"names": connection.los_milestones}),
        "fields": forms.get("fields") or LenderFieldsForm(connection=connection),
        "officers": forms.get("officers") or OfficerLoginsForm(connection=connection),
        "paused_loans": los_connections.find_loans(connection)
        .exclude(unmapped_statuses=[])
        .select_related("lead__person"),
        "missing": connection_settings.list_missing_credentials(connection),
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
        label = load_profile(connection.los).label
        reason = f"{label} didn’t accept the subscription. {problem}"
        return respond_refused(request, reason, back_to=page_url, status=422)
    return respond_done(request, f"Subscribed to changes in {connection.name}", back_to=page_url)


@staff_view("POST")
def issue_push_password(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Make a new password for the LOS's posts to us, and show it once."""
    connection, _ = get_editable_connection(request, connection_id)
    password = los_connections.issue_push_password(
        connection_id=connection.pk, by=request.user, at=request.at
    )
    connection.refresh_from_db()
    return render_connection(request, connection, new_password=password)


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


def _build_settings_form(connection: Connection, typed: Any = None) -> ConnectionForm:
    return ConnectionForm(
        typed,
        profile=load_profile(connection.los),
        initial=connection_settings.read_values(connection),
        is_on_file=connection_settings.credentials_on_file(connection),
    )

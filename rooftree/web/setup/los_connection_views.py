"""Set-up: the LOS, where it is, who we are there, and what it tells us."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.vendor_errors import VendorError
from rooftree.los import los_connections
from rooftree.los.los_connections import CREDENTIAL_FIELDS, PLAIN_FIELDS
from rooftree.los.models import Connection
from rooftree.web.setup.views import require_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import SECRET_ON_FILE_HINT, StaffForm, secret_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view

LOS = "encompass"
LABELS = {LOS: "ICE Encompass"}


class ConnectionForm(StaffForm):
    """One lender instance of Encompass."""

    name = text_field("Name", "As staff see it", max_length=120)
    instance = text_field("Instance", "As BE11200000; TEBE… for tests", longest=60)
    base_url = text_field("Address of the API", "As https://api.elliemae.com")
    folder = text_field("Loan folder", "Where new loans go", required=False, max_length=120)
    template = text_field("Loan template", "Its path in Encompass", required=False)
    template_type = text_field("Kind of template", required=False, max_length=60)
    lead_id_field = text_field("Field for our lead id", "A custom field of its own", max_length=60)
    client_id = text_field("API client ID", required=False, max_length=200)
    client_secret = secret_field("API client secret")
    user = text_field("API user", required=False, max_length=120)
    password = secret_field("Its password")

    FIELDSETS = (
        ("Where", ("name", "instance", "base_url")),
        ("New loans", ("folder", "template", "template_type", "lead_id_field")),
        ("Who we are there", CREDENTIAL_FIELDS),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        known: dict[str, bool] = kwargs.pop("known", {})
        super().__init__(*args, **kwargs)
        for name, is_known in known.items():
            if is_known:
                self.fields[name].help_text = SECRET_ON_FILE_HINT


@staff_view("GET", "POST")
def list_connections(request: StaffRequest) -> HttpResponse:
    """The connections, and a new one."""
    require_permission(request.user, "edit_setup")
    form = ConnectionForm(
        request.POST or None, initial={"lead_id_field": "CX.ROOFTREELEADID", "name": "Encompass"}
    )

    def add(typed: dict[str, Any]) -> Connection:
        facts, credentials = _split_credentials(typed)
        return los_connections.add_connection(
            los=LOS, facts=facts, credentials=credentials, by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(add):
        back = reverse("setup_connection", args=[form.result.pk])
        return respond_done(request, "Kept. Test it, then subscribe and turn it on", back_to=back)
    rows = Connection.objects.order_by("name", "id")
    status = 422 if request.method == "POST" else 200
    context = {"rows": rows, "form": form, "labels": LABELS}
    return render(request, "setup/los_connections.html", context, status=status)


@staff_view("GET", "POST")
def edit_connection(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """One connection."""
    require_permission(request.user, "edit_setup")
    one = get_object_or_404(Connection, pk=connection_id)
    initial = {name: getattr(one, name) for name in PLAIN_FIELDS}
    known = los_connections.credentials_on_file(one)
    form = ConnectionForm(request.POST or None, initial=initial, known=known)

    def change(typed: dict[str, Any]) -> Connection:
        facts, credentials = _split_credentials(typed)
        return los_connections.update_connection(
            connection_id=one.pk, facts=facts, credentials=credentials,
            by=request.user, at=request.at,
        )  # fmt: skip

    if request.method == "POST" and form.submit(change):
        return respond_done(request, f"{form.result.name} is kept", back_to=request.path)
    context = {
        "connection": one,
        "form": form,
        "missing": [name.replace("_", " ") for name, is_known in known.items() if not is_known],
        "endpoint": f"{settings.PUBLIC_URL}/in/{one.los}/{one.slug}/",
        "keys": bool(one.webhook_keys),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/los_connection.html", context, status=status)


@staff_view("POST")
def apply_connection_action(request: StaffRequest, connection_id: UUID, what: str) -> HttpResponse:
    """Test a connection, subscribe to its changes, turn it on or off."""
    require_permission(request.user, "edit_setup")
    if what not in ("test", "subscription", "on", "off"):
        raise Http404
    one = get_object_or_404(Connection, pk=connection_id)
    back = reverse("setup_connection", args=[one.pk])
    if what == "test":
        problem = los_connections.check_connection(one, at=request.at)
        if problem:
            return respond_refused(
                request, f"It does not work yet. {problem}", back_to=back, status=422
            )
        return respond_done(request, "Signed in and asked: it works", back_to=back)
    if what == "subscription":
        return _subscribe_to_changes(request, one, back)
    turn = los_connections.enable_connection if what == "on" else los_connections.disable_connection
    turn(connection_id=one.pk, by=request.user, at=request.at)
    said = "Loans are handed over through it from now on" if what == "on" else "It is off"
    return respond_done(request, said, back_to=back)


def _subscribe_to_changes(request: StaffRequest, one: Connection, back: str) -> HttpResponse:
    try:
        los_connections.subscribe_to_changes(
            connection_id=one.pk, site=settings.PUBLIC_URL, by=request.user, at=request.at
        )
    except VendorError as problem:
        why = f"Encompass did not subscribe us. {problem}"
        return respond_refused(request, why, back_to=back, status=422)
    return respond_done(request, "Encompass tells us of changes from now on", back_to=back)


def _split_credentials(typed: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    facts = {name: typed[name] for name in PLAIN_FIELDS}
    return facts, {name: typed[name] for name in CREDENTIAL_FIELDS}

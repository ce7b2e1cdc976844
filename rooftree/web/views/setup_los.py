"""Set-up: the LOS, where it is, who we are there, and what it tells us."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.failures import Failure
from rooftree.los import connections
from rooftree.los.connections import CREDENTIALS, PLAIN
from rooftree.los.models import Connection
from rooftree.web.answers import done, refused
from rooftree.web.page import staff
from rooftree.web.staff_forms import ON_FILE, StaffForm, secret, text
from rooftree.web.views.setup import must

LOS = "encompass"
LABELS = {LOS: "ICE Encompass"}


class ConnectionForm(StaffForm):
    """One lender instance of Encompass."""

    name = text("Name", "As staff see it", longest=120)
    instance = text("Instance", "As BE11200000; TEBE… for tests", longest=60)
    base_url = text("Address of the API", "As https://api.elliemae.com")
    folder = text("Loan folder", "Where new loans go", required=False, longest=120)
    template = text("Loan template", "Its path in Encompass", required=False)
    template_type = text("Kind of template", required=False, longest=60)
    lead_id_field = text("Field for our lead id", "A custom field of its own", longest=60)
    client_id = text("API client ID", required=False, longest=200)
    client_secret = secret("API client secret")
    user = text("API user", required=False, longest=120)
    password = secret("Its password")

    PARTS = (
        ("Where", ("name", "instance", "base_url")),
        ("New loans", ("folder", "template", "template_type", "lead_id_field")),
        ("Who we are there", CREDENTIALS),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        known: dict[str, bool] = kwargs.pop("known", {})
        super().__init__(*args, **kwargs)
        for name, is_known in known.items():
            if is_known:
                self.fields[name].help_text = ON_FILE


@staff("GET", "POST")
def connection_list(request: HttpRequest) -> HttpResponse:
    """The connections, and a new one."""
    must(request.user, "edit_setup")
    form = ConnectionForm(
        request.POST or None, initial={"lead_id_field": "CX.ROOFTREELEADID", "name": "Encompass"}
    )

    def add(typed: dict[str, Any]) -> Connection:
        facts, credentials = _parts(typed)
        return connections.add(
            los=LOS, facts=facts, credentials=credentials, by=request.user, at=request.at
        )

    if request.method == "POST" and form.carried_out(add):
        back = reverse("setup_connection", args=[form.made.pk])
        return done(request, "Kept. Test it, then subscribe and turn it on", back_to=back)
    rows = Connection.objects.order_by("name", "id")
    status = 422 if request.method == "POST" else 200
    context = {"rows": rows, "form": form, "labels": LABELS}
    return render(request, "setup/los.html", context, status=status)


@staff("GET", "POST")
def connection(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """One connection."""
    must(request.user, "edit_setup")
    one = get_object_or_404(Connection, pk=connection_id)
    initial = {name: getattr(one, name) for name in PLAIN}
    known = connections.known_credentials(one)
    form = ConnectionForm(request.POST or None, initial=initial, known=known)

    def change(typed: dict[str, Any]) -> Connection:
        facts, credentials = _parts(typed)
        return connections.change(
            connection_id=one.pk, facts=facts, credentials=credentials,
            by=request.user, at=request.at,
        )  # fmt: skip

    if request.method == "POST" and form.carried_out(change):
        return done(request, f"{form.made.name} is kept", back_to=request.path)
    context = {
        "connection": one,
        "form": form,
        "missing": [name.replace("_", " ") for name, is_known in known.items() if not is_known],
        "endpoint": f"{settings.PUBLIC_URL}/in/{one.los}/{one.slug}/",
        "keys": bool(one.webhook_keys),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/connection.html", context, status=status)


@staff("POST")
def act(request: HttpRequest, connection_id: UUID, what: str) -> HttpResponse:
    """Test a connection, subscribe to its changes, turn it on or off."""
    must(request.user, "edit_setup")
    if what not in ("test", "subscription", "on", "off"):
        raise Http404
    one = get_object_or_404(Connection, pk=connection_id)
    back = reverse("setup_connection", args=[one.pk])
    if what == "test":
        problem = connections.test(one, at=request.at)
        if problem:
            return refused(request, f"It does not work yet. {problem}", back_to=back, status=422)
        return done(request, "Signed in and asked: it works", back_to=back)
    if what == "subscription":
        return _subscribe(request, one, back)
    turn = connections.enable if what == "on" else connections.disable
    turn(connection_id=one.pk, by=request.user, at=request.at)
    said = "Loans are handed over through it from now on" if what == "on" else "It is off"
    return done(request, said, back_to=back)


def _subscribe(request: HttpRequest, one: Connection, back: str) -> HttpResponse:
    try:
        connections.subscribe(
            connection_id=one.pk, site=settings.PUBLIC_URL, by=request.user, at=request.at
        )
    except Failure as problem:
        why = f"Encompass did not subscribe us. {problem}"
        return refused(request, why, back_to=back, status=422)
    return done(request, "Encompass tells us of changes from now on", back_to=back)


def _parts(typed: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    facts = {name: typed[name] for name in PLAIN}
    return facts, {name: typed[name] for name in CREDENTIALS}

"""How a source that may post anything proves itself and is answered; a try without a vendor."""

import json
from typing import Any
from uuid import UUID

from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from rooftree.capture import auction, publish_map, source_telling
from rooftree.capture.envelope import Incoming
from rooftree.capture.proof import PROOFS, Proof, header_of
from rooftree.capture.receive import adapter_of, endpoint_of
from rooftree.capture.source_setup import PROVEN_AS_CHOSEN, Opened, addresses_of, paths_of
from rooftree.capture.source_telling import ANSWERS, CHANNELS
from rooftree.capture.targets import TARGETS, Kind
from rooftree.leads.models import Source
from rooftree.web import map_form
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, StaffForm, area, choice, text
from rooftree.web.views.sources import why

STATUSES = {"200": "200 OK", "201": "201 Created"}
EXAMPLES = {  # what a made-up lead says; nobody has this number or address
    "first_name": "Test",
    "last_name": "Borrower",
    "name": "Test Borrower",
    "email": "test@example.com",
    "vendor_lead_id": "test-1",
    "loan_purpose": "purchase",
    "property_state": "FL",
    "property_zip": "33602",
    "state": "FL",
    "zip": "33602",
}
PING = {  # what a made-up ping says: nobody at all
    "ping_id": "test-1",
    "loan_purpose": "purchase",
    "state": "FL",
    "zip": "33602",
    "loan_amount": "350000",
    "credit_rating": "good",
}
BY_KIND = {
    Kind.PHONE: "8135550142",
    Kind.EMAIL: "test@example.com",
    Kind.MONEY: "350000",
    Kind.PERCENT: "6.5",
    Kind.STATE: "FL",
}


class PostForm(StaffForm):
    """What the sender must prove and hears."""

    channel = choice("What kind of sender", CHANNELS.items())
    proof = choice("Proves itself by", PROOFS.items(), "Besides the address nobody can guess")
    header = text("Header of the secret or the signature", "As X-Api-Key", required=False)
    user = text("User name", "For a user name and a password; empty: any", required=False)
    networks = Lines("Only from these addresses", "As 203.0.113.0/24, one a line; empty: from all")
    answer = choice("Is answered in", ANSWERS.items())
    status = choice("When it went well", STATUSES.items())
    success = area("The answer when it went well", "{id} stands for our id; empty: the usual")
    failure = area("The answer when it is turned away", "{error} stands for why; empty: the usual")

    PARTS = (
        ("Who it is", ("channel", "proof", "header", "user", "networks")),
        ("What it hears", ("answer", "status", "success", "failure")),
    )
    FREE = ("channel", "answer", "status", "success", "failure")  # not a known vendor's

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        is_free = kwargs.pop("is_free")
        super().__init__(*args, **kwargs)
        for name in () if is_free else self.FREE:
            del self.fields[name]

    def facts(self) -> dict[str, Any]:
        """What was typed, as the set-up keeps it."""
        typed = dict(self.cleaned_data)
        if "status" in typed:
            typed["status"] = 201 if typed["status"] == "201" else None
        return typed


@staff("GET", "POST")
def posts(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Set it, or look at it."""
    source = _source(request, source_id)
    if request.method == "GET":
        return _page(request, source, _form(source))
    form = _form(source, request.POST)

    def tell(_: dict[str, Any]) -> Source:
        return source_telling.tell(
            source_id=source.pk, details=form.facts(), by=request.user, at=request.at
        )

    if form.carried_out(tell):
        return done(request, f"{source.name} is kept", back_to=_home(source))
    return _page(request, source, form, status=422)


@staff("POST")
def trial(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Read a made-up post as a real one would be. Nothing is stored, and nobody is written to."""
    source = _source(request, source_id)
    body = json.dumps(example(source)).encode()
    incoming = Incoming(
        path=paths_of(source)[0],
        headers={"Content-Type": "application/json"},
        body=body,
        remote_addr=None,
        received_at=request.at,
        endpoint=endpoint_of(source),
        is_verified=True,
        market=auction.market_of(source, at=request.at),
    )
    with atomic():
        envelope = adapter_of(source).read(incoming)
    said = envelope.to_json()
    context = {
        "sent": body.decode(),
        "is_well": envelope.outcome.value.startswith("accepted"),
        "is_ping": envelope.offer is not None,
        "why": why(envelope.reason or ""),
        "answer": envelope.http.filled(lead_id="01a20bc9-c58a", reference="").to_bytes().decode(),
        "status": envelope.http.status,
        "lead": [
            (path, map_form.short(value))
            for lead in said["leads"]
            for path, value in map_form.places(lead)
            if path not in ("schema_version", "received_at", "source")
        ],
    }
    return _page(request, source, _form(source), tried=context)


def example(source: Source) -> dict[str, str]:
    """A made-up lead in the places the source's map reads, else under our own names; a ping
    where it is bid to."""
    if source.adapter == "ping_post":
        return PING
    lines = publish_map.in_force(source)
    if not lines:
        keys = ("vendor_lead_id", "name", "phone", "email", "loan_purpose", "property_state")
        return {key: _example(key) for key in keys}
    said: dict[str, str] = {}
    for line in lines:
        word = next(iter(line.words), "")
        if line.path and line.field in TARGETS and (word or _example(line.field)):
            said.setdefault(line.path, word or _example(line.field))
    return said


def _example(key: str) -> str:
    return EXAMPLES.get(key) or BY_KIND.get(TARGETS[key].kind, "")


@sensitive_variables("opened")
def curl(source: Source, address: str, opened: Opened | None = None) -> str:
    """A command that posts the example; its secrets only at the moment they are shown."""
    secret = opened.secret if opened else "<secret>"
    usual = proof_of(source)
    proof = str(source.setup.get("proof") or usual)
    body = json.dumps(example(source)).replace("'", "'\\''")
    lines = [f"curl -X POST '{address}'", "  -H 'Content-Type: application/json'"]
    if proof == Proof.HEADER:
        header = header_of(source.setup, usual=usual)
        shown = f"Bearer {secret}" if header.lower() == "authorization" else secret
        lines.append(f"  -H '{header}: {shown}'")
    if proof == Proof.BASIC:
        lines.append(f"  -u '{source.setup.get('user') or 'vendor'}:{secret}'")
    if proof == Proof.HMAC:
        lines.append(
            f"  -H '{header_of(source.setup, usual=usual)}: sha256=<HMAC-SHA256 of the body, hex>'"
        )
    return " \\\n".join([*lines, f"  -d '{body}'"])


def proof_of(source: Source) -> Proof:
    """How its posts are proven where staff chose nothing."""
    usual: Proof = getattr(adapter_of(source), "PROOF", Proof.ADDRESS)
    return usual


def _form(source: Source, typed: Any = None) -> PostForm:
    return PostForm(typed, initial=_initial(source), is_free=source.adapter == "generic")


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=PROVEN_AS_CHOSEN)


def _home(source: Source) -> str:
    return reverse("source_posts", args=[source.pk])


def _initial(source: Source) -> dict[str, Any]:
    told = {name: source.setup[name] for name in source_telling.TOLD if name in source.setup}
    usual = {"channel": "aggregator", "answer": "json", "proof": proof_of(source)}
    return {**usual, **told, "status": str(told.get("status", 200))}


def _page(
    request: HttpRequest, source: Source, form: PostForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    address = addresses_of(source)[0]
    context = {
        "source": source,
        "form": form,
        "address": address,
        "curl": curl(source, address),
        **more,
    }
    return render(request, "sources/posts.html", context, status=status)

"""How a source that may post anything proves itself and is answered."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import instructions, source_telling
from rooftree.capture.proof import PROOFS
from rooftree.capture.source_setup import PROVEN_AS_CHOSEN
from rooftree.capture.source_telling import ANSWERS, CHANNELS
from rooftree.leads.models import Source
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import Lines, StaffForm, area, choice, text

STATUSES = {"200": "200 OK", "201": "201 Created"}


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


def _form(source: Source, typed: Any = None) -> PostForm:
    return PostForm(typed, initial=_initial(source), is_free=source.adapter == "generic")


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=PROVEN_AS_CHOSEN)


def _home(source: Source) -> str:
    return reverse("source_posts", args=[source.pk])


def _initial(source: Source) -> dict[str, Any]:
    told = {name: source.setup[name] for name in source_telling.TOLD if name in source.setup}
    usual = {"channel": "aggregator", "answer": "json", "proof": instructions.proof_of(source)}
    return {**usual, **told, "status": str(told.get("status", 200))}


def _page(
    request: HttpRequest, source: Source, form: PostForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"source": source, "form": form, **more}
    return render(request, "sources/posts.html", context, status=status)

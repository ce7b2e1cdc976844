"""What a sender must know to post to a source, to print and send; and a try of its posts."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.capture import instructions
from rooftree.capture.envelope import LARGEST_BODY, Envelope
from rooftree.leads.models import Source
from rooftree.org.the_company import the_company
from rooftree.web import map_form
from rooftree.web.page import must, staff
from rooftree.web.views.sources import why

SAID_ELSEWHERE = ("schema_version", "received_at", "source")


@staff("GET")
def show(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The instructions."""
    source = _source(request, source_id)
    return _page(request, source, instructions.example_of(source))


@staff("POST")
def reading(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Read what was pasted as a real post would be. Nothing is stored, nobody is written to."""
    source = _source(request, source_id)
    typed = request.POST.get("body", "").strip()
    body = typed.encode(errors="replace")
    if not body or len(body) > LARGEST_BODY:
        problem = "Paste what would be posted, at most 1 MB of it."
        return _page(request, source, typed[:2000], problem=problem, status=422)
    found = instructions.read(source, body, at=request.at)
    return _page(request, source, typed, tried=_said(found))


def _said(found: Envelope) -> dict[str, Any]:
    """What was understood, in words."""
    answer = instructions.Reply(when="", answer=found.http)
    leads = found.to_json()["leads"]
    return {
        "is_well": found.outcome.value.startswith("accepted"),
        "is_test": found.outcome.value == "accepted_test",
        "is_ping": found.offer is not None,
        "refusal": found.refusal,
        "why": why(found.reason or ""),
        "answer": answer.body,
        "status": found.http.status,
        "warnings": [one.replace("_", " ") for one in found.warnings],
        "lead": [
            (path, map_form.short(value))
            for lead in leads
            for path, value in map_form.places(lead)
            if path not in SAID_ELSEWHERE and not path.startswith("extras")
        ],
        "unread": [pair for lead in leads for pair in lead.get("extras", {}).items()],
    }


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    if not instructions.are_there(source):
        raise Http404
    return source


def _page(
    request: HttpRequest, source: Source, body: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "source": source,
        "company": the_company(),
        "said": instructions.of(source, at=request.at),
        "body": body,
        **more,
    }
    return render(request, "sources/instructions.html", context, status=status)

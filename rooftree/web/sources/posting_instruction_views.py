"""What a sender must know to post to a source, to print and send; and a try of its posts."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.capture.parsing.envelope import MAX_BODY_BYTES, Envelope
from rooftree.capture.source_setup import posting_instructions
from rooftree.leads.models import Source
from rooftree.org.current_company import current_company
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import field_map_editor
from rooftree.web.sources.views import reason_text

HIDDEN_PATHS = ("schema_version", "received_at", "source")


@staff_view("GET")
def show_instructions(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """The instructions."""
    source = _get_source(request, source_id)
    return _render_page(request, source, posting_instructions.build_example_post(source))


@staff_view("POST")
def try_post(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Read what was pasted as a real post would be. Nothing is stored, nobody is written to."""
    source = _get_source(request, source_id)
    typed = request.POST.get("body", "").strip()
    body = typed.encode(errors="replace")
    if not body or len(body) > MAX_BODY_BYTES:
        problem = "Paste what would be posted, at most 1 MB of it."
        return _render_page(request, source, typed[:2000], problem=problem, status=422)
    found = posting_instructions.preview_post(source, body, at=request.at)
    return _render_page(request, source, typed, tried=_reading_context(found))


def _reading_context(found: Envelope) -> dict[str, Any]:
    """What was understood, in words."""
    answer = posting_instructions.SampleReply(when="", answer=found.http)
    leads = found.to_json()["leads"]
    return {
        "is_well": found.outcome.value.startswith("accepted"),
        "is_test": found.outcome.value == "accepted_test",
        "is_ping": found.placed_bid is not None,
        "refusal": found.refusal,
        "why": reason_text(found.reason or ""),
        "answer": answer.body,
        "status": found.http.status,
        "warnings": [warning.replace("_", " ") for warning in found.warnings],
        "lead": [
            (path, field_map_editor.shorten_value(value))
            for lead in leads
            for path, value in field_map_editor.list_values(lead)
            if path not in HIDDEN_PATHS and not path.startswith("extras")
        ],
        "unread": [pair for lead in leads for pair in lead.get("extras", {}).items()],
    }


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id)
    if not posting_instructions.has_instructions(source):
        raise Http404
    return source


def _render_page(
    request: StaffRequest, source: Source, body: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "source": source,
        "company": current_company(),
        "said": posting_instructions.build_instructions(source, at=request.at),
        "body": body,
        **more,
    }
    return render(request, "sources/instructions.html", context, status=status)

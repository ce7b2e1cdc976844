"""Posting instructions for a vendor, to print and send, and a test of its posts."""

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
MAX_ECHO_LENGTH = 2000  # characters of an oversized body shown again in the form


@staff_view("GET")
def show_instructions(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the posting instructions of a source, with an example in the test form."""
    source = _get_source(request, source_id)
    return _render_page(request, source, posting_instructions.build_example_post(source))


@staff_view("POST")
def try_post(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Read the pasted body as a real post; store nothing and send nothing."""
    source = _get_source(request, source_id)
    typed = request.POST.get("body", "").strip()
    body = typed.encode(errors="replace")
    if not body or len(body) > MAX_BODY_BYTES:
        problem = "Paste a post body of at most 1 MB."
        return _render_page(request, source, typed[:MAX_ECHO_LENGTH], problem=problem, status=422)
    envelope = posting_instructions.preview_post(source, body, at=request.at)
    return _render_page(request, source, typed, result=_result_context(envelope))


def _result_context(envelope: Envelope) -> dict[str, Any]:
    """Return what was recognized in a post, as the page shows it."""
    reply = posting_instructions.SampleReply(when="", answer=envelope.http)
    leads = envelope.to_json()["leads"]
    return {
        "is_accepted": envelope.outcome.value.startswith("accepted"),
        "is_test": envelope.outcome.value == "accepted_test",
        "is_ping": envelope.placed_bid is not None,
        "refusal": envelope.refusal,
        "reason": reason_text(envelope.reason or ""),
        "answer": reply.body,
        "status": envelope.http.status,
        "warnings": [warning.replace("_", " ") for warning in envelope.warnings],
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
        "instructions": posting_instructions.build_instructions(source, at=request.at),
        "body": body,
        **more,
    }
    return render(request, "sources/instructions.html", context, status=status)

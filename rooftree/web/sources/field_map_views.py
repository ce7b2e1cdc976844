"""The field map of a source that may post anything: edited beside what really came."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.intake import receive_delivery
from rooftree.capture.models import MapEdition
from rooftree.capture.parsing.field_map import (
    BadMap,
    MapLine,
    check_map,
    guess_map_lines,
    parse_map_lines,
)
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.single_lead_posts import preview_map as previewed
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.capture.source_setup import publish_field_map
from rooftree.capture.source_setup.manage_sources import ADAPTERS_WITH_PROOF_CHOICE
from rooftree.leads.models import Delivery, Source
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import field_map_editor
from rooftree.web.sources.views import reason_text, visible_deliveries

MAX_DELIVERIES = 8  # deliveries to choose from
MAX_UNREAD_VALUES = 30  # values nobody asked for that are listed
HIDDEN_PATHS = ("schema_version", "received_at", "extras", "source", "channel")  # seen elsewhere


@staff_view("GET", "POST")
def edit_field_map(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """The map as it would be: the draft, the live one, or a guess from what came last."""
    source = _get_source(request, source_id)
    if request.method == "POST":
        lines = field_map_editor.parse_lines(request.POST)
        field_map_editor.save_draft(request, source.pk, lines)
        return _render_page(request, source, lines, problems=_check_lines(lines))
    delivery = _chosen_delivery(request, source)
    lines = field_map_editor.load_draft(request, source.pk)
    if lines is None:
        lines = publish_field_map.current_map_lines(source) or _guess_lines(delivery)
    return _render_page(request, source, lines)


@staff_view("POST")
def preview_field_map(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """What the lines as typed make of one delivery; nothing is kept."""
    source = _get_source(request, source_id)
    lines = field_map_editor.parse_lines(request.POST)
    context = _preview_context(_chosen_delivery(request, source), lines) | {
        "problems": _check_lines(lines)
    }
    return render(request, "sources/field_map.html#tried", context)


@staff_view("POST")
def publish_map_edition(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Read deliveries by the lines as typed from now on."""
    source = _get_source(request, source_id)
    lines = field_map_editor.parse_lines(request.POST)
    field_map_editor.save_draft(request, source.pk, lines)
    summary = request.POST.get("summary", "").strip()
    problems = [] if summary else ["Say what changed and why; the history shows it."]
    if not problems:
        try:
            made = publish_field_map.publish_field_map(
                lines, source_id=source.pk, by=request.user, at=request.at, summary=summary
            )
        except BadMap as bad:
            problems = list(bad.problems)
        else:
            field_map_editor.delete_draft(request, source.pk)
            said = f"{source.name} is read by map v{made.number} from now on"
            return respond_done(request, said, back_to=_page_url(source))
    return _render_page(request, source, lines, problems=problems, status=422)


@staff_view("POST")
def discard_draft(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Forget the draft; the live map stays as it is."""
    source = _get_source(request, source_id)
    field_map_editor.delete_draft(request, source.pk)
    return respond_done(
        request, "The draft is gone; nothing else changed", back_to=_page_url(source)
    )


@staff_view("POST")
def restore_edition(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Publish an earlier edition anew: the way back is a step forward."""
    source = _get_source(request, source_id)
    one = get_object_or_404(MapEdition, source=source, number=number)
    try:
        made = publish_field_map.publish_field_map(
            parse_map_lines(one.lines),
            source_id=source.pk,
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}",
        )
    except BadMap as bad:
        return respond_refused(request, str(bad), back_to=_page_url(source))
    field_map_editor.delete_draft(request, source.pk)
    said = f"v{made.number} is read by from now on, with the lines of v{number}"
    return respond_done(request, said, back_to=_page_url(source))


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=ADAPTERS_WITH_PROOF_CHOICE)


def _page_url(source: Source) -> str:
    return reverse("source_map", args=[source.pk])


def _latest_deliveries(request: StaffRequest, source: Source) -> Any:
    came = visible_deliveries(request.user).filter(source=source).exclude(state="duplicate")
    return came.exclude(outcome="ignored").order_by("-received_at", "-id")


def _chosen_delivery(request: StaffRequest, source: Source) -> Delivery | None:
    """The delivery to try the map on: the one chosen, else the newest."""
    wanted = request.POST.get("delivery") or request.GET.get("delivery") or ""
    came = _latest_deliveries(request, source)
    try:
        chosen = came.filter(pk=UUID(wanted)).first() if wanted else None
    except ValueError:
        chosen = None
    found: Delivery | None = chosen or came.first()
    return found


def _guess_lines(delivery: Delivery | None) -> tuple[MapLine, ...]:
    if delivery is None:
        return tuple(MapLine(field=key, path=key) for key in ("name", "phone", "email"))
    try:
        return guess_map_lines(
            build_payload_tree(receive_delivery.rebuild_incoming(delivery), ReadingNotes())
        )
    except UnreadableBody:
        return ()


def _check_lines(lines: Sequence[MapLine]) -> list[str]:
    try:
        check_map(lines)
    except BadMap as bad:
        return list(bad.problems)
    return []


def _preview_context(delivery: Delivery | None, lines: Sequence[MapLine]) -> dict[str, Any]:
    """What the lines give for a delivery, one by one and together."""
    if delivery is None:
        return {"delivery": None}
    stored = [line.to_json() for line in lines]
    incoming = receive_delivery.rebuild_incoming(delivery)
    try:
        reading, envelope = previewed(
            incoming, stored, receive_delivery.adapter_of(delivery.source)
        )
        tree = build_payload_tree(incoming, ReadingNotes())
    except UnreadableBody as problem:
        return {"delivery": delivery, "unreadable": reason_text(str(problem))}
    said = [
        (row["label"], row["line"].path or "always", field_map_editor.shorten_value(value))
        for row, (_, value) in zip(field_map_editor.build_rows(lines), reading.line_values, strict=False)
    ]
    return {
        "delivery": delivery,
        "outcome": envelope.outcome.value,
        "reason": reason_text(envelope.reason or ""),
        "warnings": [warning.replace("_", " ") for warning in envelope.warnings],
        "read_as": _lead_lines(envelope.to_json()["leads"]),
        "given": [line for line in said if line[2]],
        "silent": [line for line in said if not line[2]],
        "unmapped": [
            (path, field_map_editor.shorten_value(value)) for path, value in reading.unread_values
        ][:MAX_UNREAD_VALUES],
        "places": field_map_editor.list_values(tree),
    }


def _lead_lines(leads: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """The inquiry in lines: what stands where in the canonical record."""
    return [
        (path, field_map_editor.shorten_value(value))
        for lead in leads[:1]
        for path, value in field_map_editor.list_values(lead)
        if not path.startswith(HIDDEN_PATHS)
    ]


def _render_page(
    request: StaffRequest,
    source: Source,
    lines: Sequence[MapLine],
    *,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    live = publish_field_map.current_map_edition(source)
    context = {
        "source": source,
        "live": live,
        "next": live.number + 1 if live else 1,
        "groups": field_map_editor.group_rows(lines),
        "fields": field_map_editor.field_choices(),
        "conversions": field_map_editor.conversion_choices(),
        "latest": _latest_deliveries(request, source)[:MAX_DELIVERIES],
        "editions": publish_field_map.list_map_editions(source),
        "has_draft": field_map_editor.load_draft(request, source.pk) is not None,
        "problems": problems,
        "summary": request.POST.get("summary", ""),
        "aside": visible_deliveries(request.user)
        .filter(source=source, state="quarantined")
        .count(),
        **_preview_context(_chosen_delivery(request, source), lines),
    }
    return render(request, "sources/field_map.html", context, status=status)

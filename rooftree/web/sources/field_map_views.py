"""The field map of a source that posts its own format, edited beside its real deliveries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
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
from rooftree.capture.parsing.single_lead_posts import preview_map
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.capture.source_setup import field_map_impact, publish_field_map
from rooftree.capture.source_setup.manage_sources import ADAPTERS_WITH_PROOF_CHOICE
from rooftree.leads.models import Delivery, Source
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources import field_map_editor
from rooftree.web.sources.views import reason_text, visible_deliveries

MAX_DELIVERIES = 8  # deliveries offered to test the map with
MAX_UNREAD_VALUES = 30  # unmapped values listed
HIDDEN_PATHS = ("schema_version", "received_at", "extras", "source", "channel")  # shown elsewhere


@staff_view("GET", "POST")
def edit_field_map(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the draft, the live map, or a guess from the latest delivery; a POST saves a draft."""
    source = _get_source(request, source_id)
    if request.method == "POST":
        lines = field_map_editor.parse_lines(request.POST)
        field_map_editor.save_draft(request, source.pk, lines)
        return _render_page(request, source, lines, problems=_check_lines(lines))
    draft = field_map_editor.load_draft(request, source.pk)
    if draft is not None:
        return _render_page(request, source, draft)
    delivery = _chosen_delivery(request, source)
    lines = publish_field_map.current_map_lines(source) or _guess_lines(delivery)
    return _render_page(request, source, lines)


@staff_view("POST")
def preview_field_map(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show what the typed lines read from one delivery; store nothing."""
    source = _get_source(request, source_id)
    lines = field_map_editor.parse_lines(request.POST)
    context = _preview_context(_chosen_delivery(request, source), lines) | {
        "problems": _check_lines(lines)
    }
    return render(request, "sources/field_map.html#tried", context)


@staff_view("POST")
def publish_map_edition(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Publish the typed lines as the live map."""
    source = _get_source(request, source_id)
    lines = field_map_editor.parse_lines(request.POST)
    field_map_editor.save_draft(request, source.pk, lines)
    summary = request.POST.get("summary", "").strip()
    problems = [] if summary else ["Say what changed and why. The version history shows it."]
    impact = field_map_impact.measure_map_impact(source, lines)
    is_confirmed = impact.is_harmless or request.POST.get("confirmed") == "on"
    if not problems and is_confirmed:
        try:
            edition = publish_field_map.publish_field_map(
                lines, source_id=source.pk, by=request.user, at=request.at, summary=summary
            )
        except BadMap as bad:
            problems = list(bad.problems)
        else:
            field_map_editor.delete_draft(request, source.pk)
            message = f"Field map v{edition.number} of {source.name} is live"
            return respond_done(request, message, back_to=_page_url(source))
    return _render_page(request, source, lines, problems=problems, impact=impact, status=422)


@staff_view("POST")
def discard_draft(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Delete the user's draft; the live map doesn't change."""
    source = _get_source(request, source_id)
    field_map_editor.delete_draft(request, source.pk)
    return respond_done(request, "Draft deleted. Nothing else changed", back_to=_page_url(source))


@staff_view("POST")
def restore_edition(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Publish the lines of an earlier edition as a new edition, so that the history stays."""
    source = _get_source(request, source_id)
    earlier = get_object_or_404(MapEdition, source=source, number=number)
    lines = parse_map_lines(earlier.lines)
    if not field_map_impact.measure_map_impact(source, lines).is_harmless:
        field_map_editor.save_draft(request, source.pk, lines)
        message = f"v{number} would lose data. Its lines are your draft now: publish them here"
        return respond_refused(request, message, back_to=_page_url(source))
    try:
        edition = publish_field_map.publish_field_map(
            lines,
            source_id=source.pk,
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}",
        )
    except BadMap as bad:
        return respond_refused(request, str(bad), back_to=_page_url(source))
    field_map_editor.delete_draft(request, source.pk)
    message = f"v{edition.number} is live with the lines of v{number}"
    return respond_done(request, message, back_to=_page_url(source))


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=ADAPTERS_WITH_PROOF_CHOICE)


def _page_url(source: Source) -> str:
    return reverse("source_map", args=[source.pk])


def _latest_deliveries(request: StaffRequest, source: Source) -> QuerySet[Delivery]:
    deliveries = visible_deliveries(request.user).filter(source=source).exclude(state="duplicate")
    return deliveries.exclude(outcome="ignored").order_by("-received_at", "-id")


def _chosen_delivery(request: StaffRequest, source: Source) -> Delivery | None:
    """Return the delivery to test the map with: the chosen one, else the newest."""
    chosen_id = request.POST.get("delivery") or request.GET.get("delivery") or ""
    deliveries = _latest_deliveries(request, source)
    try:
        chosen = deliveries.filter(pk=UUID(chosen_id)).first() if chosen_id else None
    except ValueError:
        chosen = None
    return chosen or deliveries.first()


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
    """Return what the lines read from a delivery, line by line and as a lead."""
    if delivery is None:
        return {"delivery": None}
    stored = [line.to_json() for line in lines]
    incoming = receive_delivery.rebuild_incoming(delivery)
    try:
        reading, envelope = preview_map(
            incoming, stored, receive_delivery.adapter_of(delivery.source)
        )
        tree = build_payload_tree(incoming, ReadingNotes())
    except UnreadableBody as problem:
        return {"delivery": delivery, "unreadable": reason_text(str(problem))}
    rows = field_map_editor.build_rows(lines)
    line_values = [
        (row["label"], row["line"].path or "fixed value", field_map_editor.shorten_value(value))
        for row, (_, value) in zip(rows, reading.line_values, strict=False)
    ]
    return {
        "delivery": delivery,
        "outcome": envelope.outcome.value,
        "reason": reason_text(envelope.reason or ""),
        "warnings": [warning.replace("_", " ") for warning in envelope.warnings],
        "lead_values": [
            (path, field_map_editor.shorten_value(value))
            for lead in envelope.to_json()["leads"][:1]
            for path, value in field_map_editor.list_values(lead)
            if not path.startswith(HIDDEN_PATHS)
        ],
        "filled_lines": [line for line in line_values if line[2]],
        "empty_lines": [line for line in line_values if not line[2]],
        "unmapped": [
            (path, field_map_editor.shorten_value(value)) for path, value in reading.unread_values
        ][:MAX_UNREAD_VALUES],
        "paths": field_map_editor.list_values(tree),
    }


def _render_page(
    request: StaffRequest,
    source: Source,
    lines: Sequence[MapLine],
    *,
    problems: Sequence[str] = (),
    impact: field_map_impact.MapImpact | None = None,
    status: int = 200,
) -> HttpResponse:
    live = publish_field_map.current_map_edition(source)
    quarantined = visible_deliveries(request.user).filter(source=source, state="quarantined")
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
        "impact": impact,
        "broken": [
            (row.delivery, reason_text(row.reason)) for row in impact.broken[:MAX_DELIVERIES]
        ]
        if impact
        else [],
        "summary": request.POST.get("summary", ""),
        "quarantined_count": quarantined.count(),
        **_preview_context(_chosen_delivery(request, source), lines),
    }
    return render(request, "sources/field_map.html", context, status=status)

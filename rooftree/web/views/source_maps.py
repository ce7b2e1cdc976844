"""The field map of a source that may post anything: edited beside what really came."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture import publish_map, receive
from rooftree.capture.field_map import BadMap, Line, check, guess, lines_of
from rooftree.capture.models import MapEdition
from rooftree.capture.notes import Notes
from rooftree.capture.payload import tree_of
from rooftree.capture.posts import preview as previewed
from rooftree.capture.source_setup import PROVEN_AS_CHOSEN
from rooftree.capture.wire import Unreadable
from rooftree.leads.models import Delivery, Source
from rooftree.web import map_form
from rooftree.web.answers import done, refused
from rooftree.web.page import must, staff
from rooftree.web.views.sources import seen_by, why

LATEST = 8  # deliveries to choose from
UNREAD = 30  # values nobody asked for that are listed
LEFT_OUT = ("schema_version", "received_at", "extras", "source", "channel")  # seen elsewhere


@staff("GET", "POST")
def show(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The map as it would be: the draft, the live one, or a guess from what came last."""
    source = _source(request, source_id)
    if request.method == "POST":
        lines = map_form.typed(request.POST)
        map_form.keep_draft(request, source.pk, lines)
        return _page(request, source, lines, problems=_problems(lines))
    delivery = _delivery(request, source)
    lines = map_form.draft_of(request, source.pk)
    if lines is None:
        lines = publish_map.in_force(source) or _guessed(delivery)
    return _page(request, source, lines)


@staff("POST")
def preview(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """What the lines as typed make of one delivery; nothing is kept."""
    source = _source(request, source_id)
    lines = map_form.typed(request.POST)
    context = _tried(_delivery(request, source), lines) | {"problems": _problems(lines)}
    return render(request, "sources/map.html#tried", context)


@staff("POST")
def publication(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Read deliveries by the lines as typed from now on."""
    source = _source(request, source_id)
    lines = map_form.typed(request.POST)
    map_form.keep_draft(request, source.pk, lines)
    summary = request.POST.get("summary", "").strip()
    problems = [] if summary else ["Say what changed and why; the history shows it."]
    if not problems:
        try:
            made = publish_map.publish(
                lines, source_id=source.pk, by=request.user, at=request.at, summary=summary
            )
        except BadMap as bad:
            problems = list(bad.problems)
        else:
            map_form.drop_draft(request, source.pk)
            said = f"{source.name} is read by map v{made.number} from now on"
            return done(request, said, back_to=_home(source))
    return _page(request, source, lines, problems=problems, status=422)


@staff("POST")
def drop(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Forget the draft; the live map stays as it is."""
    source = _source(request, source_id)
    map_form.drop_draft(request, source.pk)
    return done(request, "The draft is gone; nothing else changed", back_to=_home(source))


@staff("POST")
def restoration(request: HttpRequest, source_id: UUID, number: int) -> HttpResponse:
    """Publish an earlier edition anew: the way back is a step forward."""
    source = _source(request, source_id)
    one = get_object_or_404(MapEdition, source=source, number=number)
    try:
        made = publish_map.publish(
            lines_of(one.lines),
            source_id=source.pk,
            by=request.user,
            at=request.at,
            summary=f"Back to v{number}",
        )
    except BadMap as bad:
        return refused(request, str(bad), back_to=_home(source))
    map_form.drop_draft(request, source.pk)
    said = f"v{made.number} is read by from now on, with the lines of v{number}"
    return done(request, said, back_to=_home(source))


def _source(request: HttpRequest, source_id: UUID) -> Source:
    must(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=PROVEN_AS_CHOSEN)


def _home(source: Source) -> str:
    return reverse("source_map", args=[source.pk])


def _latest(request: HttpRequest, source: Source) -> Any:
    came = seen_by(request.user).filter(source=source).exclude(state="duplicate")
    return came.exclude(outcome="ignored").order_by("-received_at", "-id")


def _delivery(request: HttpRequest, source: Source) -> Delivery | None:
    """The delivery to try the map on: the one chosen, else the newest."""
    wanted = request.POST.get("delivery") or request.GET.get("delivery") or ""
    came = _latest(request, source)
    try:
        chosen = came.filter(pk=UUID(wanted)).first() if wanted else None
    except ValueError:
        chosen = None
    found: Delivery | None = chosen or came.first()
    return found


def _guessed(delivery: Delivery | None) -> tuple[Line, ...]:
    if delivery is None:
        return tuple(Line(field=key, path=key) for key in ("name", "phone", "email"))
    try:
        return guess(tree_of(receive.as_received(delivery), Notes()))
    except Unreadable:
        return ()


def _problems(lines: Sequence[Line]) -> list[str]:
    try:
        check(lines)
    except BadMap as bad:
        return list(bad.problems)
    return []


def _tried(delivery: Delivery | None, lines: Sequence[Line]) -> dict[str, Any]:
    """What the lines give for a delivery, one by one and together."""
    if delivery is None:
        return {"delivery": None}
    stored = [line.to_json() for line in lines]
    incoming = receive.as_received(delivery)
    try:
        reading, envelope = previewed(incoming, stored, receive.adapter_of(delivery.source))
        tree = tree_of(incoming, Notes())
    except Unreadable as problem:
        return {"delivery": delivery, "unreadable": why(str(problem))}
    said = [
        (row["label"], row["line"].path or "always", map_form.short(value))
        for row, (_, value) in zip(map_form.rows(lines), reading.found, strict=False)
    ]
    return {
        "delivery": delivery,
        "outcome": envelope.outcome.value,
        "reason": why(envelope.reason or ""),
        "warnings": [one.replace("_", " ") for one in envelope.warnings],
        "read_as": _said(envelope.to_json()["leads"]),
        "given": [line for line in said if line[2]],
        "silent": [line for line in said if not line[2]],
        "unmapped": [(path, map_form.short(value)) for path, value in reading.unread][:UNREAD],
        "places": map_form.places(tree),
    }


def _said(leads: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """The inquiry in lines: what stands where in the canonical record."""
    return [
        (path, map_form.short(value))
        for lead in leads[:1]
        for path, value in map_form.places(lead)
        if not path.startswith(LEFT_OUT)
    ]


def _page(
    request: HttpRequest,
    source: Source,
    lines: Sequence[Line],
    *,
    problems: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    live = publish_map.current(source)
    context = {
        "source": source,
        "live": live,
        "next": live.number + 1 if live else 1,
        "groups": map_form.groups(lines),
        "fields": map_form.fields(),
        "conversions": map_form.conversions(),
        "latest": _latest(request, source)[:LATEST],
        "editions": publish_map.editions(source),
        "has_draft": map_form.draft_of(request, source.pk) is not None,
        "problems": problems,
        "summary": request.POST.get("summary", ""),
        "aside": seen_by(request.user).filter(source=source, state="quarantined").count(),
        **_tried(_delivery(request, source), lines),
    }
    return render(request, "sources/map.html", context, status=status)

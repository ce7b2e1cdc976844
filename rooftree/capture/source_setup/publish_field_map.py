"""Editions of a source's field map: each publication is a new one, and the newest is read by."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.intake.receive_delivery import adapter_of
from rooftree.capture.models import MapEdition
from rooftree.capture.parsing.field_map import MapLine, check_map, parse_map_lines
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User


def publish_field_map(
    lines: Iterable[MapLine], *, source_id: UUID, by: User, at: datetime, summary: str = ""
) -> MapEdition:
    """Read this source's deliveries by `lines` from now on, as a new edition.

    What was worked stays as it was; what was set aside can be replayed. Raises
    `field_map.BadMap`.
    """
    listed = list(lines)
    check_map(listed)
    stored = [line.to_json() for line in listed]
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        newest = current_map_edition(source)
        edition = MapEdition.objects.create(
            id=uuid7_at(at),
            source=source,
            number=newest.number + 1 if newest else 1,
            lines=stored,
            summary=summary[:300],
            published_by=by,
            published_at=at,
        )
        source.setup = {**source.setup, "map": stored}
        source.save(update_fields=["setup"])
        write_event(
            "capture.map.published",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            edition=edition.number,
            summary=edition.summary,
        )
    return edition


def current_map_lines(source: Source) -> tuple[MapLine, ...]:
    """They are the lines its deliveries are read by: the published ones, else its adapter's own."""
    own: tuple[MapLine, ...] = getattr(adapter_of(source), "LINES", ())
    return parse_map_lines(source.setup.get("map")) or own


def current_map_edition(source: Source) -> MapEdition | None:
    """The edition deliveries are read by; None while fields are known by their names."""
    return MapEdition.objects.filter(source=source).order_by("-number").first()


def list_map_editions(source: Source) -> Sequence[MapEdition]:
    """Every edition of a source, the newest first."""
    rows = MapEdition.objects.filter(source=source).select_related("published_by")
    return list(rows.order_by("-number")[:100])

"""Versions of a source's field map: each publication adds one, and the newest is used."""

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
    """Publish a new field map version, by which a source's deliveries are read from now on.

    Processed deliveries stay as they are; quarantined ones can be replayed. Raises
    `field_map.BadMap`.
    """
    map_lines = list(lines)
    check_map(map_lines)
    stored = [line.to_json() for line in map_lines]
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
    """Return a source's published field map lines, else its adapter's default lines."""
    default_lines: tuple[MapLine, ...] = getattr(adapter_of(source), "LINES", ())
    return parse_map_lines(source.setup.get("map")) or default_lines


def current_map_edition(source: Source) -> MapEdition | None:
    """Return the newest version of a source's field map; None if none was published."""
    return MapEdition.objects.filter(source=source).order_by("-number").first()


def list_map_editions(source: Source) -> Sequence[MapEdition]:
    """Return the versions of a source's field map, newest first, at most 100."""
    rows = MapEdition.objects.filter(source=source).select_related("published_by")
    return list(rows.order_by("-number")[:100])

"""Editions of a source's field map: each publication is a new one, and the newest is read by."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.field_map import Line, check, lines_of
from rooftree.capture.models import MapEdition
from rooftree.capture.receive import adapter_of
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write import write
from rooftree.org.models import User


def publish(
    lines: Iterable[Line], *, source_id: UUID, by: User, at: datetime, summary: str = ""
) -> MapEdition:
    """Read this source's deliveries by `lines` from now on, as a new edition.

    What was worked stays as it was; what was set aside can be replayed. Raises
    `field_map.BadMap`.
    """
    listed = list(lines)
    check(listed)
    stored = [line.to_json() for line in listed]
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        newest = current(source)
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
        write(
            "capture.map.published",
            at=at,
            actor=f"user:{by.pk}",
            source_id=source.pk,
            edition=edition.number,
            summary=edition.summary,
        )
    return edition


def in_force(source: Source) -> tuple[Line, ...]:
    """They are the lines its deliveries are read by: the published ones, else its adapter's own."""
    own: tuple[Line, ...] = getattr(adapter_of(source), "LINES", ())
    return lines_of(source.setup.get("map")) or own


def current(source: Source) -> MapEdition | None:
    """The edition deliveries are read by; None while fields are known by their names."""
    return MapEdition.objects.filter(source=source).order_by("-number").first()


def editions(source: Source) -> Sequence[MapEdition]:
    """Every edition of a source, the newest first."""
    rows = MapEdition.objects.filter(source=source).select_related("published_by")
    return list(rows.order_by("-number")[:100])

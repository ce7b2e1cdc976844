"""Effect of another field map on a source's latest deliveries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rooftree.capture.intake.receive_delivery import (
    WORKABLE_OUTCOMES,
    adapter_of,
    rebuild_incoming,
)
from rooftree.capture.parsing.envelope import Envelope
from rooftree.capture.parsing.field_map import MapLine
from rooftree.capture.parsing.single_lead_posts import preview_map
from rooftree.capture.parsing.target_fields import TARGET_FIELDS
from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.capture.source_setup.publish_field_map import current_map_lines
from rooftree.leads.models import Delivery, Source

MAX_DELIVERIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenDelivery:
    """A delivery that becomes a lead with the live map, and none with the other one."""

    delivery: Delivery
    reason: str  # of the envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class MapImpact:
    """The deliveries compared, and what the other map would lose in them."""

    compared: int
    broken: tuple[BrokenDelivery, ...]
    lost_fields: tuple[tuple[str, int], ...]  # label and deliveries, most often first

    @property
    def is_harmless(self) -> bool:
        return not self.broken and not self.lost_fields


def measure_map_impact(source: Source, lines: Sequence[MapLine]) -> MapImpact:
    """Read the latest deliveries by the live map and by `lines`; store nothing."""
    latest = Delivery.objects.filter(source=source).exclude(state="duplicate")
    deliveries = latest.exclude(outcome="ignored").select_related("source")
    live = current_map_lines(source)
    broken, lost, compared = [], Counter[str](), 0
    for delivery in deliveries.order_by("-received_at", "-id")[:MAX_DELIVERIES]:
        try:
            before, live_fields = _read(delivery, live)
            after, fields = _read(delivery, lines)
        except UnreadableBody:
            continue
        compared += 1
        if before.outcome not in WORKABLE_OUTCOMES:
            continue
        if after.outcome not in WORKABLE_OUTCOMES:
            broken.append(BrokenDelivery(delivery=delivery, reason=after.reason or ""))
        lost.update(live_fields - fields)
    return MapImpact(
        compared=compared,
        broken=tuple(broken),
        lost_fields=tuple((TARGET_FIELDS[key].label, count) for key, count in lost.most_common()),
    )


def _read(delivery: Delivery, lines: Sequence[MapLine]) -> tuple[Envelope, set[str]]:
    """Return the envelope and the keys of the fields that got a value."""
    stored = [line.to_json() for line in lines]
    reading, envelope = preview_map(rebuild_incoming(delivery), stored, adapter_of(delivery.source))
    filled = {
        line.field
        for line, value in reading.line_values
        if value not in (None, "") and line.field in TARGET_FIELDS
    }
    return envelope, filled

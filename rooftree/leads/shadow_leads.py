"""Mark the leads that inquire while shadow mode is on: another system works them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.models import ShadowLead, Touch
from rooftree.org.models import ShadowPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowMarks:
    """Whether shadow mode is on, and the touches of a shadow mode that has ended since."""

    is_on: bool = False
    late_touch_ids: frozenset[UUID] = frozenset()  # received in shadow mode, processed after it


def mark_leads(touches: Sequence[Touch], *, at: datetime) -> ShadowMarks:
    """Mark the leads of touches that were received in shadow mode.

    A lead is marked once in a period, with its first touch. `touch.delivery` is loaded.
    """
    if not touches:
        return ShadowMarks()
    first = min(touch.delivery.received_at for touch in touches)
    periods = list(ShadowPeriod.objects.filter(Q(ended_at=None) | Q(ended_at__gt=first)))
    marked = [
        (touch, period)
        for touch in touches
        for period in periods
        if period.covers(touch.delivery.received_at)
    ]
    insert_new_rows(
        [
            ShadowLead(
                id=uuid7_at(at),
                lead_id=touch.lead_id,
                period=period,
                touch=touch,
                arrived_at=touch.delivery.received_at,
            )
            for touch, period in marked
        ]
    )
    return ShadowMarks(
        is_on=any(period.ended_at is None for period in periods),
        late_touch_ids=frozenset(touch.pk for touch, period in marked if period.ended_at),
    )

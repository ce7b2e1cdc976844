"""Ends offers and ownerships after a license expired; runs after every local midnight."""

from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.db import trigger_clock
from rooftree.db.statements import query_rows


def end_unlawful_assignments(*, at: datetime) -> list[UUID]:
    """End every live offer and ownership that is unlawful at `at`; return the lead ids.

    The database decides, with the same function that refuses new assignments, and
    writes an event for each. `find_leads_to_offer` finds the leads afterwards. Funded
    and archived leads keep their last owner. Source of rule: LIC-01.
    """
    with atomic():
        trigger_clock.set_trigger_time(at)
        return [
            row[0]
            for row in query_rows(
                "select distinct end_unlawful(null, null, null, 'license_expired')"
            )
        ]

"""Changes to user rights and to rules in the ledger, each with its author."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from rooftree.ledger.models import Event
from rooftree.org.models import User

RIGHTS_EVENTS = ("org.user.", "org.api_key.", "org.assistant.")
RULE_EVENTS = (
    "routing.rules.published", "capture.map.published", "outreach.template.", "outreach.sequence.",
    "compliance.source_terms.", "compliance.emergency.", "compliance.rule_change.",
    "capture.source.changed", "capture.form_version.",
)  # fmt: skip


def list_changes(kinds: Sequence[str], *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """List the ledger entries of a period whose kind begins with one of `kinds`, oldest first."""
    has_kind = Q()
    for kind in kinds:
        has_kind |= Q(kind__startswith=kind)
    events = Event.objects.filter(has_kind, occurred_at__range=(since, until))
    rows = list(events.order_by("occurred_at", "id").values("kind", "actor", "occurred_at", "data"))
    names = {f"user:{key}": name for key, name in User.objects.values_list("pk", "name")}
    return [
        {
            "at": row["occurred_at"].isoformat(),
            "what": row["kind"],
            "by": names.get(row["actor"], row["actor"]),
            "about": "; ".join(
                f"{key}: {names.get(f'user:{value}', value)}" for key, value in row["data"].items()
            ),
        }
        for row in rows
    ]

"""Baselines: the agreed and expected figures of a source, which it needs before its launch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.models import Baseline
from rooftree.capture.source_setup.manage_sources import BadSource
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.money.models import Contract
from rooftree.org.models import User

EXCLUSIVITY_LABELS = {
    "ours": "Exclusive: sold only to us",
    "shared": "Shared: sold to several lenders",
    "aged": "Aged: sold before, then to us",
}
BASELINE_PARTS = {  # parts that must be filled in or waived before launch
    "per_week": "Volume",
    "contactable_pct": "Quality",
    "price_cents": "Price",
    "exclusive": "Exclusivity",
    "returns": "Return terms",
    "contact": "Contact at the vendor",
}
EDITABLE = (
    *("per_week", "contactable_pct", "price_cents", "exclusive"),
    *("contact", "watcher_id"),
)
MAX_REASON_LENGTH = 300


def get_baseline(source: Source) -> Baseline:
    """Return a source's baseline; an empty, unsaved one if there is none yet."""
    return Baseline.objects.select_related("watcher").filter(pk=source.pk).first() or Baseline(
        source=source
    )


def is_given(baseline: Baseline, part: str) -> bool:
    """Decide whether a part is filled in; return terms are part of the source's contract."""
    if part == "returns":
        return Contract.objects.filter(source=baseline.source_id).exists()
    return getattr(baseline, part) not in (None, "")


def missing_parts(baseline: Baseline) -> list[str]:
    """Return the keys of BASELINE_PARTS that are neither filled in nor waived."""
    return [
        part
        for part in BASELINE_PARTS
        if not is_given(baseline, part) and part not in baseline.waived
    ]


def save_baseline(*, source_id: UUID, facts: Mapping[str, Any], by: User, at: datetime) -> Baseline:
    """Save the agreed figures and the watcher who is notified of alarms.

    Args:
        facts: columns of EDITABLE; None or "" if unknown.
    """
    with atomic():
        row = _lock_baseline(source_id)
        changed = [name for name in EDITABLE if getattr(row, name) != facts[name]]
        if changed:
            Baseline.objects.filter(pk=source_id).update(
                **{name: facts[name] for name in changed}, due_at=None
            )
            _record_event("baseline_changed", source_id, by, at, changed=changed)
    return Baseline.objects.get(pk=source_id)


def waive_part(*, source_id: UUID, part: str, why: str, by: User, at: datetime) -> Baseline:
    """Waive one part in the user's name. Raises `BadSource`."""
    if part not in BASELINE_PARTS:
        raise BadSource("part", "Choose a part to waive.")
    if not why.strip():
        raise BadSource("why", "Enter a reason.")
    with atomic():
        row = _lock_baseline(source_id)
        if is_given(row, part):
            raise BadSource("part", f"{BASELINE_PARTS[part]} is filled in, so it can't be waived.")
        waiver = {"by": by.name, "why": why.strip()[:MAX_REASON_LENGTH], "at": at.isoformat()}
        row.waived = {**row.waived, part: waiver}
        row.save(update_fields=["waived"])
        _record_event("baseline_waived", source_id, by, at, part=part, why=waiver["why"])
    return row


def launch_source(*, source_id: UUID, by: User, at: datetime) -> None:
    """End the source's audit; safe to repeat. Raises `BadSource` while something is missing."""
    with atomic():
        row = _lock_baseline(source_id)
        if parts := missing_parts(row):
            labels = ", ".join(BASELINE_PARTS[part].lower() for part in parts)
            raise BadSource("", f"Fill in or waive first: {labels}.")
        if row.watcher_id is None:
            raise BadSource("watcher_id", "Choose who is notified when the source goes silent.")
        if Source.objects.filter(pk=source_id, launched_at=None).update(launched_at=at):
            _record_event("launched", source_id, by, at)


def _lock_baseline(source_id: UUID) -> Baseline:
    Baseline.objects.get_or_create(source_id=source_id)
    return Baseline.objects.select_for_update(of=("self",)).get(pk=source_id)


def _record_event(kind: str, source_id: UUID, by: User, at: datetime, **data: Any) -> None:
    write_event(f"capture.source.{kind}", at=at, actor=f"user:{by.pk}", source_id=source_id, **data)

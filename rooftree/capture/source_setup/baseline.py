"""What is agreed with a source and expected of it. Until all of it is known it is in audit."""

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
    "ours": "Sold to us alone",
    "shared": "Sold to several lenders",
    "aged": "Sold before, and again to us",
}
BASELINE_PARTS = {  # what must be given or waived
    "per_week": "Volume",
    "contactable_pct": "Quality",
    "price_cents": "Price",
    "exclusive": "Exclusivity",
    "returns": "What can be returned",
    "contact": "Contact at the vendor",
}
EDITABLE = (
    *("per_week", "contactable_pct", "price_cents", "exclusive"),
    *("contact", "watcher_id"),
)
MAX_REASON_LENGTH = 300


def get_baseline(source: Source) -> Baseline:
    """The baseline of a source; an empty one, not stored, where there is none yet."""
    return Baseline.objects.select_related("watcher").filter(pk=source.pk).first() or Baseline(
        source=source
    )


def is_given(baseline: Baseline, part: str) -> bool:
    """Whether a part was filled in. What can be returned stands in the source's contract."""
    if part == "returns":
        return Contract.objects.filter(source=baseline.source_id).exists()
    return getattr(baseline, part) not in (None, "")


def missing_parts(baseline: Baseline) -> list[str]:
    """What is neither given nor waived: keys of PARTS."""
    return [
        baseline_part
        for baseline_part in BASELINE_PARTS
        if not is_given(baseline, baseline_part) and baseline_part not in baseline.waived
    ]


def save_baseline(*, source_id: UUID, facts: Mapping[str, Any], by: User, at: datetime) -> Baseline:
    """Write down what is agreed and who hears when it is not kept.

    Args:
        facts: columns of EDITABLE; None or "" where nobody knows.
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
    """Do without one part of it, in one's own name. Raises `BadSource`."""
    if part not in BASELINE_PARTS:
        raise BadSource("part", "Choose what to do without.")
    if not why.strip():
        raise BadSource("why", "Say why it may be missing.")
    with atomic():
        row = _lock_baseline(source_id)
        if is_given(row, part):
            raise BadSource(
                "part", f"{BASELINE_PARTS[part]} is filled in; nothing needs to be waived."
            )
        said = {"by": by.name, "why": why.strip()[:MAX_REASON_LENGTH], "at": at.isoformat()}
        row.waived = {**row.waived, part: said}
        row.save(update_fields=["waived"])
        _record_event("baseline_waived", source_id, by, at, part=part, why=said["why"])
    return row


def launch_source(*, source_id: UUID, by: User, at: datetime) -> None:
    """End the audit. Raises `BadSource` while something is missing; twice is once."""
    with atomic():
        row = _lock_baseline(source_id)
        if lacks := missing_parts(row):
            said = ", ".join(BASELINE_PARTS[lack].lower() for lack in lacks)
            raise BadSource("", f"Fill in or waive first: {said}.")
        if row.watcher_id is None:
            raise BadSource("watcher_id", "Name who hears when it falls silent.")
        if Source.objects.filter(pk=source_id, launched_at=None).update(launched_at=at):
            _record_event("launched", source_id, by, at)


def _lock_baseline(source_id: UUID) -> Baseline:
    Baseline.objects.get_or_create(source_id=source_id)
    return Baseline.objects.select_for_update(of=("self",)).get(pk=source_id)


def _record_event(kind: str, source_id: UUID, by: User, at: datetime, **data: Any) -> None:
    write_event(f"capture.source.{kind}", at=at, actor=f"user:{by.pk}", source_id=source_id, **data)

"""Timeline entries for edits of the loan scenario."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from rooftree.leads import scenario_text
from rooftree.leads.models import Lead, LeadEdit
from rooftree.reporting.timeline.timeline_entry import EntryGroup, EntryMark, TimelineEntry


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Yield one entry for the fields that were edited together."""
    together: dict[tuple[UUID, datetime], list[LeadEdit]] = {}
    for edit in lead.edits.all():
        together.setdefault((edit.by_id, edit.at), []).append(edit)
    for edits in together.values():
        phrase = scenario_text.SPEAKER_PHRASES[edits[0].stated_by]
        yield TimelineEntry(
            key=f"edit:{edits[0].pk}",
            at=edits[0].at,
            group=EntryGroup.LOAN,
            icon="edit",
            mark=EntryMark.PERSON,
            title=edits[0].by.name,
            detail="updated the loan scenario" + (f", {phrase}" if phrase else ""),
            body=" · ".join(scenario_text.describe_edit(edit, lead.purpose) for edit in edits),
        )

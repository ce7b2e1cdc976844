"""What happened to a lead in the system it came from, marked as that: we did none of it."""

from collections.abc import Iterator

from rooftree.capture.imports.models import ImportedActivity
from rooftree.leads.models import Lead
from rooftree.reporting.timeline.timeline_entry import EntryGroup, Quote, TimelineEntry

MAX_ENTRIES = 500  # of one lead
KINDS = {  # icon, what it was, by direction
    "note": ("edit", {"": "Note"}),
    "task": ("check", {"": "Task"}),
    "call": ("phone", {"": "Call", "in": "They called", "out": "Call to them"}),
    "email": ("mail", {"": "E-mail", "in": "E-mail from them", "out": "E-mail to them"}),
    "text": ("text", {"": "Text", "in": "Text from them", "out": "Text to them"}),
    "meeting": ("clock", {"": "Meeting"}),
}
MESSAGES = ("call", "email", "text")


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Each with the name of the system it was imported from."""
    rows = (
        ImportedActivity.objects.filter(lead=lead).select_related("source").order_by("-at", "-id")
    )
    for row in rows[:MAX_ENTRIES]:
        icon, said = KINDS[row.kind]
        who = f" by {row.by}" if row.by else ""
        if row.kind == "task":
            who += ", to be done" if row.is_open else ", done there"
        yield TimelineEntry(
            key=f"past:{row.pk}",
            at=row.at or lead.created_at,
            group=EntryGroup.MESSAGES if row.kind in MESSAGES else EntryGroup.OTHER,
            icon=icon,
            title=said.get(row.direction, said[""]),
            detail=f"imported from {row.source.name}{who}",
            quote=_entry_quote(row),
        )


def _entry_quote(one: ImportedActivity) -> Quote | None:
    if not one.text:
        return Quote(text=one.title) if one.title else None
    return Quote(text=one.text, subject=one.title, is_ours=one.direction == "out")

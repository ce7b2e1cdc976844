"""Timeline entries for a lead's activity in the system it was imported from."""

from collections.abc import Iterator

from rooftree.capture.imports.models import ImportedActivity
from rooftree.leads.models import Lead
from rooftree.reporting.timeline.timeline_entry import EntryGroup, Quote, TimelineEntry

MAX_ENTRIES = 500  # per lead
KINDS = {  # icon, and title by direction
    "note": ("edit", {"": "Note"}),
    "task": ("check", {"": "Task"}),
    "call": ("phone", {"": "Call", "in": "Call from borrower", "out": "Call to borrower"}),
    "email": ("mail", {"": "Email", "in": "Email from borrower", "out": "Email to borrower"}),
    "text": ("text", {"": "Text", "in": "Text from borrower", "out": "Text to borrower"}),
    "meeting": ("clock", {"": "Meeting"}),
}
MESSAGES = ("call", "email", "text")


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Build an entry for each imported activity, naming the system it came from."""
    rows = (
        ImportedActivity.objects.filter(lead=lead).select_related("source").order_by("-at", "-id")
    )
    for row in rows[:MAX_ENTRIES]:
        icon, titles = KINDS[row.kind]
        origin = f"imported from {row.source.name}" + (f" by {row.by}" if row.by else "")
        if row.kind == "task":
            origin += ", open" if row.is_open else ", done"
        yield TimelineEntry(
            key=f"past:{row.pk}",
            at=row.at or lead.created_at,
            group=EntryGroup.MESSAGES if row.kind in MESSAGES else EntryGroup.OTHER,
            icon=icon,
            title=titles.get(row.direction, titles[""]),
            detail=origin,
            quote=_entry_quote(row),
        )


def _entry_quote(row: ImportedActivity) -> Quote | None:
    if not row.text:
        return Quote(text=row.title) if row.title else None
    return Quote(text=row.text, subject=row.title, is_ours=row.direction == "out")

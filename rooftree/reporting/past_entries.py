"""What happened to a lead in the system it came from, marked as that: we did none of it."""

from collections.abc import Iterator

from rooftree.capture.imports.models import PastEntry
from rooftree.leads.models import Lead
from rooftree.reporting.timeline import Entry, Group, Quote

SHOWN = 500  # of one lead
KINDS = {  # icon, what it was, by direction
    "note": ("edit", {"": "Note"}),
    "task": ("check", {"": "Task"}),
    "call": ("phone", {"": "Call", "in": "They called", "out": "Call to them"}),
    "email": ("mail", {"": "E-mail", "in": "E-mail from them", "out": "E-mail to them"}),
    "text": ("text", {"": "Text", "in": "Text from them", "out": "Text to them"}),
    "meeting": ("clock", {"": "Meeting"}),
}
MESSAGES = ("call", "email", "text")


def of_lead(lead: Lead) -> Iterator[Entry]:
    """Each with the name of the system it was imported from."""
    rows = PastEntry.objects.filter(lead=lead).select_related("source").order_by("-at", "-id")
    for one in rows[:SHOWN]:
        icon, said = KINDS[one.kind]
        who = f" by {one.by}" if one.by else ""
        if one.kind == "task":
            who += ", to be done" if one.is_open else ", done there"
        yield Entry(
            key=f"past:{one.pk}",
            at=one.at or lead.created_at,
            group=Group.MESSAGES if one.kind in MESSAGES else Group.OTHER,
            icon=icon,
            title=said.get(one.direction, said[""]),
            rest=f"imported from {one.source.name}{who}",
            quote=_words(one),
        )


def _words(one: PastEntry) -> Quote | None:
    if not one.text:
        return Quote(text=one.title) if one.title else None
    return Quote(text=one.text, subject=one.title, is_ours=one.direction == "out")

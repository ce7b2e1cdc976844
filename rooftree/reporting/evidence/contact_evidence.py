"""Messages and calls of an evidence file, with the wording that was used."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from rooftree.leads.models import ContactAttempt, Person
from rooftree.ledger.models import Event
from rooftree.outreach.models import CallRecording, Message, Template
from rooftree.outreach.wording.version_approval import content_hash
from rooftree.reporting.evidence.json_rows import export_row, export_rows

type Json = dict[str, Any]


def collect_contacts(
    people: Sequence[Person],
    messages: Sequence[Message],
    attempts: Sequence[ContactAttempt],
    events: Iterable[Event],
) -> Json:
    """Collect messages, their templates, calls and recordings, each oldest first."""
    script_ids = {UUID(event.data["opening"]) for event in events if "opening" in event.data}
    versions = Template.objects.select_related("written_by", "decided_by").filter(
        pk__in={message.template_id for message in messages if message.template_id} | script_ids
    )
    return {
        "messages": export_rows(messages, "created_at"),
        "editions": [_template_version(version) for version in versions.order_by("from_at", "pk")],
        "attempts": export_rows(attempts, "at"),
        "recordings": export_rows(
            CallRecording.objects.filter(attempt__person__in=people),
            "notice_played_at",
            "requested_at",
        ),
    }


def _template_version(template: Template) -> Json:
    """Return a template version as JSON: its exact wording and its approval."""
    names = [
        *("id", *Template.PLACE_COLUMNS, "version", "subject", "body", "summary"),
        *("written_at", "decided_at", "is_alone", "from_at", "until_at", "approved_until"),
    ]
    users = {"written_by": template.written_by, "decided_by": template.decided_by}
    return {
        **export_row(template, names),
        **{key: user.name if user else None for key, user in users.items()},
        "sha256": content_hash(template),
    }

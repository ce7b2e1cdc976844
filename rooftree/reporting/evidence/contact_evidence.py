"""Collect what we sent people and the calls with them, with the wording that was used."""

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
    """Give the messages, their wording, the calls and their recordings, oldest first."""
    editions = Template.objects.select_related("written_by", "decided_by").filter(
        pk__in={message.template_id for message in messages if message.template_id}
        | _opening_template_ids(events)
    )
    return {
        "messages": export_rows(messages, "created_at"),
        "editions": [_template_version(edition) for edition in editions.order_by("from_at", "pk")],
        "attempts": export_rows(attempts, "at"),
        "recordings": export_rows(
            CallRecording.objects.filter(attempt__person__in=people), "told_at", "asked_at"
        ),
    }


def _opening_template_ids(events: Iterable[Event]) -> set[UUID]:
    """The editions of the words that whoever called them had before them."""
    return {UUID(event.data["opening"]) for event in events if "opening" in event.data}


def _template_version(one: Template) -> Json:
    """The wording that messages were made from, word for word, and its approval."""
    names = [
        *("id", *Template.PLACE_COLUMNS, "version", "subject", "body", "summary"),
        *("written_at", "decided_at", "is_alone", "from_at", "until_at", "approved_until"),
    ]
    who = {"written_by": one.written_by, "decided_by": one.decided_by}
    return {
        **export_row(one, names),
        **{key: user.name if user else None for key, user in who.items()},
        "sha256": content_hash(one),
    }

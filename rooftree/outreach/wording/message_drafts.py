"""Drafts: what a user typed to a borrower and has not sent, kept on the server."""

from datetime import datetime, timedelta

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.org.models import User
from rooftree.outreach.models import Message
from rooftree.outreach.wording.models import MessageDraft

MAX_SUBJECT_LENGTH, MAX_BODY_LENGTH = 300, 8_000
JUST_SENT = timedelta(minutes=1)  # a draft that arrives after its message was sent is not kept


def load_drafts(lead: Lead, *, user: User) -> dict[str, MessageDraft]:
    """Return the user's drafts to a lead by medium."""
    return {draft.medium: draft for draft in MessageDraft.objects.filter(lead=lead, user=user)}


def save_draft(
    lead: Lead, *, user: User, medium: str, subject: str, body: str, at: datetime
) -> bool:
    """Keep what was typed in place of the earlier draft; an empty text deletes it.

    Return True if a draft is on file now. The text of a message sent in the last minute is no
    draft: the page may save it in the background while it is sent.
    """
    subject = " ".join(subject.replace("\x00", "").split())[:MAX_SUBJECT_LENGTH]
    body = body.replace("\x00", "").replace("\r\n", "\n")[:MAX_BODY_LENGTH]
    recent = Message.objects.filter(
        lead=lead, by=user, medium=medium, created_at__gt=at - JUST_SENT
    ).exclude(state__in=["blocked", "review", "failed", "cancelled"])
    is_just_sent = recent.filter(body__startswith=body.strip()).exists()
    if not body.strip() and not subject or body.strip() and is_just_sent:
        delete_draft(lead, user=user, medium=medium)
        return False
    MessageDraft.objects.update_or_create(
        user=user,
        lead=lead,
        medium=medium,
        defaults={"subject": subject, "body": body, "saved_at": at},
        create_defaults={
            "id": uuid7_at(at), "subject": subject, "body": body, "saved_at": at,
        },
    )  # fmt: skip
    return True


def delete_draft(lead: Lead, *, user: User, medium: str) -> None:
    """Delete the user's draft to a lead; do nothing if there is none."""
    MessageDraft.objects.filter(lead=lead, user=user, medium=medium).delete()

"""Drafts of unsent forms whose visitor knowingly gave a phone number or email address.

An open page reports every few seconds that it is still open. When the reports end, its draft
becomes a delivery like any other, marked as unfinished and without any consent.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rooftree.capture.models import FormDraft
from rooftree.core.email_message_masking import mask_email_message
from rooftree.db.statements import execute
from rooftree.leads.models import Source
from rooftree.leads.unfinished_forms import UNFINISHED_KEY

ABANDONED_AFTER = timedelta(seconds=45)  # without a report of the page, which sends one every 15 s
RETENTION = timedelta(days=2)  # longer than a form can stay open

SAVE_DRAFT_SQL = """
insert into form_draft (id, source_id, body, headers, address, saved_at, due_at)
values (%(id)s, %(source)s, %(body)s, %(headers)s, %(address)s, %(at)s, %(due_at)s)
on conflict (id) do update set
    body = excluded.body, headers = excluded.headers, address = excluded.address,
    saved_at = excluded.saved_at, due_at = excluded.due_at
 where form_draft.due_at is not null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The visitor's headers and IP address."""

    headers: Mapping[str, str]
    address: str


def save_draft(
    submission_id: UUID,
    *,
    source: Source,
    answers: Mapping[str, Any],
    visitor: Visitor,
    at: datetime,
) -> None:
    """Save the answers so far, unless the form was sent or its draft became a delivery."""
    draft = {**answers, "submission_id": f"{submission_id}-begun", UNFINISHED_KEY: "yes"}
    body = mask_email_message(json.dumps(draft, ensure_ascii=False).encode("utf-8", "replace"))
    execute(
        SAVE_DRAFT_SQL,
        {
            "id": submission_id,
            "source": source.pk,
            "body": body.body,
            "headers": json.dumps(dict(visitor.headers)),
            "address": visitor.address,
            "at": at,
            "due_at": at + ABANDONED_AFTER,
        },
    )


def mark_form_sent(submission_id: UUID, *, source: Source, at: datetime) -> None:
    """Empty the draft of a sent form, so that a late report of its page saves nothing."""
    FormDraft.objects.update_or_create(
        id=submission_id,
        defaults={
            "source": source, "body": b"", "headers": {}, "address": "",
            "saved_at": at, "due_at": None,
        },
    )  # fmt: skip


def claim_abandoned_draft(*, at: datetime) -> FormDraft | None:
    """Lock and return the form abandoned longest; None if there is none.

    Must run in a transaction.
    """
    rows = FormDraft.objects.select_for_update(skip_locked=True, of=("self",))
    due = rows.filter(due_at__lte=at).select_related("source").order_by("due_at")
    return due.first()


def clear_draft(draft: FormDraft) -> None:
    """Empty a draft that became a delivery."""
    FormDraft.objects.filter(pk=draft.pk).update(body=b"", headers={}, address="", due_at=None)


def delete_old_drafts(*, at: datetime) -> int:
    """Delete emptied drafts that are too old to belong to an open form; return the number."""
    return FormDraft.objects.filter(due_at=None, saved_at__lt=at - RETENTION).delete()[0]

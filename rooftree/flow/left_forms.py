"""What follows when a form is left that somebody had begun: a delivery, marked as unfinished."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from rooftree.capture import form_drafts
from rooftree.capture.envelope import Incoming
from rooftree.capture.models import FormDraft
from rooftree.capture.receive import endpoint_of
from rooftree.flow import intake

MOST = 50  # of one turn


def take_in(*, at: datetime) -> int:
    """Take in the forms whose pages gave no sign of late; how many."""
    for done in range(MOST):
        with transaction.atomic():
            draft = form_drafts.claim_left(at=at)
            if draft is None:
                return done
            if draft.source.paused_at is None:
                intake.accept(source=draft.source, incoming=_incoming(draft, at), at=at)
            form_drafts.let_go(draft)
    return MOST


def _incoming(draft: FormDraft, at: datetime) -> Incoming:
    endpoint = endpoint_of(draft.source)
    ours = {settings.PUBLIC_URL, draft.headers.get("Origin", settings.PUBLIC_URL)}
    return Incoming(
        path=f"/in/form/{draft.source.slug}",
        headers={**draft.headers, "Content-Type": "application/json; charset=utf-8"},
        body=bytes(draft.body),
        remote_addr=draft.address or None,
        received_at=at,
        endpoint=replace(endpoint, allowed_origins=endpoint.allowed_origins | ours),
    )

"""Abandoned forms, submitted as deliveries that are marked as unfinished."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import FormDraft
from rooftree.capture.own_form import form_drafts
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival

BATCH_SIZE = 50  # forms per run


def submit_abandoned_forms(*, at: datetime) -> int:
    """Submit forms whose pages have stopped sending updates; return how many."""
    for submitted in range(BATCH_SIZE):
        with transaction.atomic():
            draft = form_drafts.claim_abandoned_draft(at=at)
            if draft is None:
                return submitted
            if draft.source.paused_at is None:
                lead_arrival.accept_delivery(
                    source=draft.source, incoming=_build_incoming(draft, at), at=at
                )
            form_drafts.clear_draft(draft)
    return BATCH_SIZE


def _build_incoming(draft: FormDraft, at: datetime) -> IncomingDelivery:
    endpoint = endpoint_of(draft.source)
    own_origins = {settings.PUBLIC_URL, draft.headers.get("Origin", settings.PUBLIC_URL)}
    return IncomingDelivery(
        path=f"/in/form/{draft.source.slug}",
        headers={**draft.headers, "Content-Type": "application/json; charset=utf-8"},
        body=bytes(draft.body),
        remote_addr=draft.address or None,
        received_at=at,
        endpoint=replace(
            endpoint, allowed_origins=endpoint.allowed_origins | own_origins, signed_only=False
        ),
    )

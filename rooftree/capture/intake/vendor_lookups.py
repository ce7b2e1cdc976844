"""Carrying out the look-ups of deliveries: claim, commit, ask, record.

An answer is kept, masked, beside the delivery, so that it can be read again without the
network. Nothing here holds a transaction while the vendor is asked.
"""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import transaction

from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.models import Retrieval
from rooftree.capture.parsing.vendor_api import Lookup, Upstream, VendorAnswer, quarantine_reason
from rooftree.capture.sources import SOURCES
from rooftree.core import http_client
from rooftree.core.masking import mask_numbers
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, RetryLater, VendorError, retry_delay
from rooftree.leads.models import Delivery, Source
from rooftree.org import staff_notices

log = logging.getLogger(__name__)
BACK_OFF = (5, 15, 60, 300, 900, 3600)  # seconds
QUARANTINE_AFTER_TRIES = 4  # tries; then staff see that the vendor does not answer
CREDENTIAL_RETRY_AFTER = timedelta(minutes=15)  # a wrong credential is tried again so often
MAX_LOOKUP_AGE = timedelta(days=60)  # vendors let a lead be read for about 90
ERROR_STATUSES = frozenset(range(400, 600))
MAX_ANSWER_BYTES = 1024 * 1024  # bytes of an answer


def queue_lookups(delivery: Delivery, lookups: Iterable[Lookup], *, at: datetime) -> None:
    """Put look-ups in line; the delivery waits for them. Wanted twice they are one."""
    rows = [
        Retrieval(
            id=uuid7_at(at),
            delivery=delivery,
            path=lookup.path,
            query=[list(pair) for pair in lookup.query],
            due_at=at,
            wanted_at=at,
        )
        for lookup in lookups
    ]
    Retrieval.objects.bulk_create(rows, ignore_conflicts=True)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=None)
    delivery.due_at = None


def load_vendor_answers(delivery: Delivery) -> dict[str, VendorAnswer]:
    """What the vendor has answered for a delivery so far, by path."""
    if not isinstance(SOURCES[delivery.source.adapter], Upstream):
        return {}
    rows = Retrieval.objects.filter(delivery=delivery, status__isnull=False)
    return {row.path: VendorAnswer(status=row.status or 0, body=bytes(row.body)) for row in rows}


def readable_lookups(delivery: Delivery) -> list[Retrieval]:
    """The look-ups of a delivery with their answers as text, for people."""
    rows = list(Retrieval.objects.filter(delivery=delivery).order_by("wanted_at", "id"))
    for row in rows:
        row.text = bytes(row.body).decode("utf-8", "backslashreplace")  # type: ignore[attr-defined]
    return rows


def expedite_lookups(delivery: Delivery, *, at: datetime) -> bool:
    """Ask at once what was to be asked later; whether anything was."""
    rows = Retrieval.objects.filter(delivery=delivery, due_at__gt=at)
    return rows.update(due_at=at) > 0


def run_next_lookup(*, at: datetime) -> UUID | None:
    """Carry out the look-up that is longest due; its delivery, or None when none is due.

    Must not run in a transaction.
    """
    row = _claim_lookup(at)
    if row is None:
        return None
    adapter = SOURCES[row.delivery.source.adapter]
    if not isinstance(adapter, Upstream):
        Retrieval.objects.filter(pk=row.pk).update(due_at=None)
        return row.delivery_id
    try:
        found = ask_vendor(
            row.delivery.source, Lookup(path=row.path, query=_query_pairs(row.query))
        )
        failure = adapter.classify_failure(found)
    except VendorError as problem:
        found, failure = None, problem
    with transaction.atomic():
        _record_answer(row, found, failure, at)
    return row.delivery_id


def load_credentials(source: Source) -> dict[str, str]:
    """What the vendor gave the company, by the names of the adapter's CREDENTIALS."""
    return {**json.loads(source.credentials or "{}"), "secret": source.secret}


def ask_vendor(source: Source, lookup: Lookup) -> VendorAnswer:
    """One GET at the source's vendor, with its credentials. Raises a `Failure`."""
    adapter = SOURCES[source.adapter]
    assert isinstance(adapter, Upstream)
    out = adapter.authorize_lookup(lookup, load_credentials(source))
    answer = _client(settings.UPSTREAMS.get(source.adapter, adapter.UPSTREAM)).send(
        http_client.VendorRequest(
            method="GET",
            path=out.path,
            is_idempotent=True,
            query=out.query,
            headers=dict(out.headers),
            accepted_statuses=ERROR_STATUSES,
        )
    )
    return VendorAnswer(status=answer.status, body=answer.body)


@cache
def _client(base_url: str) -> http_client.VendorClient:
    limits = http_client.ClientLimits(
        read_timeout_seconds=10, total_timeout_seconds=20, max_response_bytes=MAX_ANSWER_BYTES
    )
    return http_client.VendorClient(base_url, limits=limits)


def _claim_lookup(at: datetime) -> Retrieval | None:
    return claim_due_row(Retrieval.objects.select_related("delivery__source"), at=at)


def _record_answer(
    row: Retrieval, found: VendorAnswer | None, failure: VendorError | None, at: datetime
) -> None:
    """Keep what came, and let the delivery be read once something is known."""
    # The delivery first, as whoever works on it: two in other orders would wait for each other.
    Delivery.objects.select_for_update().only("pk").get(pk=row.delivery_id)
    due_at = _next_try_at(row, failure, at)
    kept: dict[str, object] = {"due_at": due_at, "problem": str(failure or "")[:300]}
    if isinstance(failure, RetryLater):
        found = None  # no answer yet
    if found is not None:
        kept |= {
            "status": found.status,
            "body": mask_numbers(found.body).body,
            "body_sha256": hashlib.sha256(found.body).hexdigest(),
            "told_at": at,
        }
    if not Retrieval.objects.filter(pk=row.pk, attempts=row.attempts).update(**kept):
        return  # it took longer than its claim held: whoever asked after us records what came
    if isinstance(failure, Misconfigured):
        notify_rejected_credentials(row.delivery.source, failure, at)
    waiting = Delivery.objects.filter(pk=row.delivery_id, state__in=["received", "quarantined"])
    if failure is None or found is not None:
        waiting.update(state="received", due_at=at, reason="", problem=kept["problem"])
        return
    log.warning("a look-up of %s failed: %s", row.delivery, type(failure).__name__)
    changes: dict[str, object] = {"problem": kept["problem"]}
    is_for_later = isinstance(failure, RetryLater) and due_at is not None
    if not is_for_later or row.attempts >= QUARANTINE_AFTER_TRIES:
        changes |= {"state": "quarantined", "reason": quarantine_reason(failure), "due_at": None}
    waiting.update(**changes)


def notify_rejected_credentials(source: Source, failure: Misconfigured, at: datetime) -> None:
    """Somebody hears, once a day, that a vendor does not let us read its leads."""
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="credentials",
        cause=f"credentials:{source.pk}:{at.date()}",
        text=f"Leads of {source} cannot be read, and wait. {failure}",
        link=f"/setup/sources/{source.pk}/credentials/",
        at=at,
    )


def _next_try_at(row: Retrieval, failure: VendorError | None, at: datetime) -> datetime | None:
    """When to ask again; never for an answer, never for a final no."""
    if at - row.wanted_at > MAX_LOOKUP_AGE:
        return None
    if isinstance(failure, Misconfigured):
        return at + CREDENTIAL_RETRY_AFTER
    if isinstance(failure, RetryLater):
        return at + retry_delay(failure, row.attempts, BACK_OFF)
    return None


def _query_pairs(stored: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in stored)

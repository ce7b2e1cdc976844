"""Run the vendor look-ups that deliveries wait for: claim, commit, ask, record.

An answer is stored, masked, with the delivery, so that it can be read again without the
network. No transaction is open while the vendor is asked.
"""

import hashlib
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
CREDENTIAL_RETRY_AFTER = timedelta(minutes=15)  # retry interval after a rejected credential
MAX_LOOKUP_AGE = timedelta(days=60)  # vendors make a lead available for about 90 days
ERROR_STATUSES = frozenset(range(400, 600))
MAX_ANSWER_BYTES = 1024 * 1024  # bytes of an answer


def queue_lookups(delivery: Delivery, lookups: Iterable[Lookup], *, at: datetime) -> None:
    """Queue look-ups, which the delivery then waits for; safe to repeat."""
    rows = [
        Retrieval(
            id=uuid7_at(at),
            delivery=delivery,
            path=lookup.path,
            query=[list(pair) for pair in lookup.query],
            due_at=at,
            requested_at=at,
        )
        for lookup in lookups
    ]
    Retrieval.objects.bulk_create(rows, ignore_conflicts=True)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=None)
    delivery.due_at = None


def load_vendor_answers(delivery: Delivery) -> dict[str, VendorAnswer]:
    """Return the vendor's answers for a delivery so far, by path."""
    rows = Retrieval.objects.filter(delivery=delivery, status__isnull=False)
    return {row.path: VendorAnswer(status=row.status or 0, body=bytes(row.body)) for row in rows}


def readable_lookups(delivery: Delivery) -> list[Retrieval]:
    """Return the look-ups of a delivery, with each answer as readable text in `text`."""
    rows = list(Retrieval.objects.filter(delivery=delivery).order_by("requested_at", "id"))
    for row in rows:
        row.text = bytes(row.body).decode("utf-8", "backslashreplace")  # type: ignore[attr-defined]
    return rows


def expedite_lookups(delivery: Delivery, *, at: datetime) -> bool:
    """Make a delivery's pending look-ups due now; return True if there were any."""
    rows = Retrieval.objects.filter(delivery=delivery, due_at__gt=at)
    return rows.update(due_at=at) > 0


def run_next_lookup(*, at: datetime) -> UUID | None:
    """Run the look-up that has been due longest; return its delivery's id, or None if none is due.

    Must not run in a transaction.
    """
    row = claim_due_row(Retrieval.objects.select_related("delivery__source"), at=at)
    if row is None:
        return None
    adapter = SOURCES[row.delivery.source.adapter]
    if not isinstance(adapter, Upstream):
        Retrieval.objects.filter(pk=row.pk).update(due_at=None)
        return row.delivery_id
    query = tuple((str(name), str(value)) for name, value in row.query)
    try:
        answer = ask_vendor(row.delivery.source, Lookup(path=row.path, query=query))
        failure = adapter.classify_failure(answer)
    except VendorError as problem:
        answer, failure = None, problem
    with transaction.atomic():
        _record_answer(row, answer, failure, at)
    return row.delivery_id


def ask_vendor(source: Source, lookup: Lookup) -> VendorAnswer:
    """Send one GET to the source's vendor, with its credentials. Raises a `VendorError`."""
    adapter = SOURCES[source.adapter]
    assert isinstance(adapter, Upstream)
    authorized = adapter.authorize_lookup(lookup, source.vendor_credentials)
    answer = _client(settings.UPSTREAMS.get(source.adapter, adapter.UPSTREAM)).send(
        http_client.VendorRequest(
            method="GET",
            path=authorized.path,
            is_idempotent=True,
            query=authorized.query,
            headers=dict(authorized.headers),
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


def _record_answer(
    row: Retrieval, answer: VendorAnswer | None, failure: VendorError | None, at: datetime
) -> None:
    """Store the answer or the failure, and make the delivery due once there is an answer."""
    # Lock the delivery first, in the same order as its other writers, to avoid deadlocks.
    Delivery.objects.select_for_update().only("pk").get(pk=row.delivery_id)
    due_at = _next_try_at(row, failure, at)
    columns: dict[str, object] = {"due_at": due_at, "problem": str(failure or "")[:300]}
    if isinstance(failure, RetryLater):
        answer = None  # no answer yet
    if answer is not None:
        columns |= {
            "status": answer.status,
            "body": mask_numbers(answer.body).body,
            "body_sha256": hashlib.sha256(answer.body).hexdigest(),
            "answered_at": at,
        }
    if not Retrieval.objects.filter(pk=row.pk, attempts=row.attempts).update(**columns):
        return  # our claim expired: the process that claimed it after us records its answer
    if isinstance(failure, Misconfigured):
        notify_rejected_credentials(row.delivery.source, failure, at)
    waiting = Delivery.objects.filter(pk=row.delivery_id, state__in=["received", "quarantined"])
    if failure is None or answer is not None:
        waiting.update(state="received", due_at=at, reason="", problem=columns["problem"])
        return
    log.warning("look-up of %s failed: %s", row.delivery, type(failure).__name__)
    changes: dict[str, object] = {"problem": columns["problem"]}
    can_retry = isinstance(failure, RetryLater) and due_at is not None
    if not can_retry or row.attempts >= QUARANTINE_AFTER_TRIES:
        changes |= {"state": "quarantined", "reason": quarantine_reason(failure), "due_at": None}
    waiting.update(**changes)


def notify_rejected_credentials(source: Source, failure: Misconfigured, at: datetime) -> None:
    """Notify staff, once a day, that a vendor rejects our credentials."""
    staff_notices.notify_users(
        staff_notices.alarm_users(None),
        kind="credentials",
        cause=f"credentials:{source.pk}:{at.date()}",
        text=f"Leads from {source} are waiting: the vendor rejected our credentials. {failure}",
        link=f"/setup/sources/{source.pk}/credentials/",
        at=at,
    )


def _next_try_at(row: Retrieval, failure: VendorError | None, at: datetime) -> datetime | None:
    """Return when to ask again; None after an answer or a final refusal."""
    if at - row.requested_at > MAX_LOOKUP_AGE:
        return None
    if isinstance(failure, Misconfigured):
        return at + CREDENTIAL_RETRY_AFTER
    if isinstance(failure, RetryLater):
        return at + retry_delay(failure, row.attempts, BACK_OFF)
    return None

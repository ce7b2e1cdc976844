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

from rooftree.capture.claim_due import claim_due
from rooftree.capture.models import Retrieval
from rooftree.capture.sources import SOURCES
from rooftree.capture.upstream import Lookup, Told, Upstream, reason_of
from rooftree.core import http
from rooftree.core.failures import Failure, Misconfigured, TryLater, pause_after
from rooftree.core.masking import mask
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Delivery, Source
from rooftree.org import notices

log = logging.getLogger(__name__)
BACK_OFF = (5, 15, 60, 300, 900, 3600)  # seconds
SHOWN_AFTER = 4  # tries; then staff see that the vendor does not answer
MEND_WITHIN = timedelta(minutes=15)  # a wrong credential is tried again so often
LONGEST = timedelta(days=60)  # vendors let a lead be read for about 90
ANY_ERROR = frozenset(range(400, 600))
LARGEST = 1024 * 1024  # bytes of an answer


def want(delivery: Delivery, lookups: Iterable[Lookup], *, at: datetime) -> None:
    """Put look-ups in line; the delivery waits for them. Wanted twice they are one."""
    rows = [
        Retrieval(
            id=uuid7_at(at),
            delivery=delivery,
            path=one.path,
            query=[list(pair) for pair in one.query],
            due_at=at,
            wanted_at=at,
        )
        for one in lookups
    ]
    Retrieval.objects.bulk_create(rows, ignore_conflicts=True)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=None)
    delivery.due_at = None


def told(delivery: Delivery) -> dict[str, Told]:
    """What the vendor has answered for a delivery so far, by path."""
    if not isinstance(SOURCES[delivery.source.adapter], Upstream):
        return {}
    rows = Retrieval.objects.filter(delivery=delivery, status__isnull=False)
    return {one.path: Told(status=one.status or 0, body=bytes(one.body)) for one in rows}


def shown(delivery: Delivery) -> list[Retrieval]:
    """The look-ups of a delivery with their answers as text, for people."""
    rows = list(Retrieval.objects.filter(delivery=delivery).order_by("wanted_at", "id"))
    for one in rows:
        one.text = bytes(one.body).decode("utf-8", "backslashreplace")  # type: ignore[attr-defined]
    return rows


def hurry(delivery: Delivery, *, at: datetime) -> bool:
    """Ask at once what was to be asked later; whether anything was."""
    rows = Retrieval.objects.filter(delivery=delivery, due_at__gt=at)
    return rows.update(due_at=at) > 0


def carry_out_next(*, at: datetime) -> UUID | None:
    """Carry out the look-up that is longest due; its delivery, or None when none is due.

    Must not run in a transaction.
    """
    row = _claimed(at)
    if row is None:
        return None
    adapter = SOURCES[row.delivery.source.adapter]
    if not isinstance(adapter, Upstream):
        Retrieval.objects.filter(pk=row.pk).update(due_at=None)
        return row.delivery_id
    try:
        found = ask(row.delivery.source, Lookup(path=row.path, query=_pairs(row.query)))
        failure = adapter.failure_of(found)
    except Failure as problem:
        found, failure = None, problem
    with transaction.atomic():
        _record(row, found, failure, at)
    return row.delivery_id


def credentials_of(source: Source) -> dict[str, str]:
    """What the vendor gave the company, by the names of the adapter's CREDENTIALS."""
    return {**json.loads(source.credentials or "{}"), "secret": source.secret}


def ask(source: Source, lookup: Lookup) -> Told:
    """One GET at the source's vendor, with its credentials. Raises a `Failure`."""
    adapter = SOURCES[source.adapter]
    assert isinstance(adapter, Upstream)
    out = adapter.authorized(lookup, credentials_of(source))
    answer = _client(settings.UPSTREAMS.get(source.adapter, adapter.UPSTREAM)).ask(
        http.Ask(
            method="GET",
            path=out.path,
            repeatable=True,
            query=out.query,
            headers=dict(out.headers),
            wanted=ANY_ERROR,
        )
    )
    return Told(status=answer.status, body=answer.body)


@cache
def _client(base_url: str) -> http.Client:
    limits = http.Limits(silence_seconds=10, answer_seconds=20, most_bytes=LARGEST)
    return http.Client(base_url, limits=limits)


def _claimed(at: datetime) -> Retrieval | None:
    return claim_due(Retrieval.objects.select_related("delivery__source"), at=at)


def _record(row: Retrieval, found: Told | None, failure: Failure | None, at: datetime) -> None:
    """Keep what came, and let the delivery be read once something is known."""
    # The delivery first, as whoever works on it: two in other orders would wait for each other.
    Delivery.objects.select_for_update().only("pk").get(pk=row.delivery_id)
    due_at = _again(row, failure, at)
    kept: dict[str, object] = {"due_at": due_at, "problem": str(failure or "")[:300]}
    if isinstance(failure, TryLater):
        found = None  # no answer yet
    if found is not None:
        kept |= {
            "status": found.status,
            "body": mask(found.body).body,
            "body_sha256": hashlib.sha256(found.body).hexdigest(),
            "told_at": at,
        }
    if not Retrieval.objects.filter(pk=row.pk, attempts=row.attempts).update(**kept):
        return  # it took longer than its claim held: whoever asked after us records what came
    if isinstance(failure, Misconfigured):
        tell_of_credentials(row.delivery.source, failure, at)
    waiting = Delivery.objects.filter(pk=row.delivery_id, state__in=["received", "quarantined"])
    if failure is None or found is not None:
        waiting.update(state="received", due_at=at, reason="", problem=kept["problem"])
        return
    log.warning("a look-up of %s failed: %s", row.delivery, type(failure).__name__)
    changes: dict[str, object] = {"problem": kept["problem"]}
    is_for_later = isinstance(failure, TryLater) and due_at is not None
    if not is_for_later or row.attempts >= SHOWN_AFTER:
        changes |= {"state": "quarantined", "reason": reason_of(failure), "due_at": None}
    waiting.update(**changes)


def tell_of_credentials(source: Source, failure: Misconfigured, at: datetime) -> None:
    """Somebody hears, once a day, that a vendor does not let us read its leads."""
    notices.tell_each(
        notices.alarm_users(None),
        kind="credentials",
        cause=f"credentials:{source.pk}:{at.date()}",
        text=f"Leads of {source} cannot be read, and wait. {failure}",
        link=f"/setup/sources/{source.pk}/credentials/",
        at=at,
    )


def _again(row: Retrieval, failure: Failure | None, at: datetime) -> datetime | None:
    """When to ask again; never for an answer, never for a final no."""
    if at - row.wanted_at > LONGEST:
        return None
    if isinstance(failure, Misconfigured):
        return at + MEND_WITHIN
    if isinstance(failure, TryLater):
        return at + pause_after(failure, row.attempts, BACK_OFF)
    return None


def _pairs(stored: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in stored)

"""Sweeps through vendors' own lead lists for leads that never reached us.

Each step makes one look-up: claim, commit, ask the vendor, record. Missed leads are returned
to the caller, who stores them as if the vendor had posted them.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Sum

from rooftree.capture.intake import vendor_lookups
from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import Sweep
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.parsing.vendor_api import LeadListPage, ListingUpstream, Lookup
from rooftree.capture.sources import SOURCES
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import Misconfigured, RetryLater, VendorError, retry_delay
from rooftree.leads.models import DeliveryKey, Source

log = logging.getLogger(__name__)
SWEEP_INTERVAL = timedelta(minutes=15)
SWEEP_OVERLAP = timedelta(hours=1)  # a vendor can list a lead later than it was made
BACK_OFF = (15, 60, 300, 900)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStep:
    """The result of one look-up of a sweep."""

    sweep: Sweep
    missed: tuple[IncomingDelivery, ...] = ()
    list_page: LeadListPage = LeadListPage()
    failure: VendorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """The results of all sweeps of one source."""

    since: datetime  # vendor leads from here on are compared
    complete_until: datetime | None  # no lead is missing up to here; None during the first sweep
    missed: int  # leads that had not reached us and were stored from the list
    problem: str


def sweep_progress(source: Source) -> SweepProgress | None:
    """Return a source's sweep results; None if it was never swept."""
    rows = Sweep.objects.filter(source=source)
    newest = rows.order_by("-began_at").first()
    if newest is None:
        return None
    ended = rows.exclude(ended_at=None).order_by("-began_at").first()
    return SweepProgress(
        since=source.created_at,
        complete_until=ended.began_at if ended else None,
        missed=rows.aggregate(all=Sum("missed"))["all"] or 0,
        problem="" if newest.ended_at else newest.problem,
    )


def begin_due_sweeps(*, at: datetime) -> int:
    """Begin a sweep of every source with a lead list that is due for one; return the number.

    A source whose credentials are missing, or that is paused, is skipped.
    """
    begun = 0
    listing = {
        key: adapter for key, adapter in SOURCES.items() if isinstance(adapter, ListingUpstream)
    }
    sources = Source.objects.filter(adapter__in=listing, paused_at=None).exclude(credentials="")
    for source in sources:
        credentials = source.vendor_credentials
        if not all(credentials.get(name) for name in listing[source.adapter].LISTING_CREDENTIALS):
            continue
        last = Sweep.objects.filter(source=source).order_by("-began_at").first()
        if last and (last.ended_at is None or last.began_at > at - SWEEP_INTERVAL):
            continue
        since = max(source.created_at, last.began_at - SWEEP_OVERLAP) if last else source.created_at
        begun += _begin_sweep(source, since, at)
    return begun


def run_next_step(*, at: datetime) -> SweepStep | None:
    """Make the look-up that has been due longest; None if none is due.

    Must not run in a transaction.
    """
    row = claim_due_row(Sweep.objects.select_related("source").filter(ended_at=None), at=at)
    if row is None:
        return None
    adapter = SOURCES[row.source.adapter]
    assert isinstance(adapter, ListingUpstream)
    path, query = row.waiting[0]
    lookup = Lookup(path=path, query=tuple((name, value) for name, value in query))
    try:
        answer = vendor_lookups.ask_vendor(row.source, lookup)
    except VendorError as problem:
        return SweepStep(sweep=row, failure=problem)
    failure = adapter.classify_failure(answer)
    if failure is None and not answer.json_fields():  # a truncated answer would end the list early
        failure = RetryLater("The vendor's list arrived incomplete.")
    if failure is not None:
        return SweepStep(sweep=row, failure=failure)
    page = adapter.parse_list_page(lookup, answer, row.since)
    return SweepStep(sweep=row, list_page=page, missed=_find_missed_leads(row.source, page, at))


def record_step(step: SweepStep, *, at: datetime) -> None:
    """Record a step, in the transaction that stores the missed leads it returned."""
    row, waiting = step.sweep, step.sweep.waiting
    if step.failure is not None:
        _update_open_sweep(row, problem=str(step.failure)[:300], due_at=_next_try_at(step, at))
        if isinstance(step.failure, Misconfigured):
            vendor_lookups.notify_rejected_credentials(row.source, step.failure, at)
        return
    next_lookups = [
        [lookup.path, [list(pair) for pair in lookup.query]]
        for lookup in step.list_page.next_lookups
    ]
    waiting = waiting[1:] + [lookup for lookup in next_lookups if lookup not in waiting]
    changes = {"waiting": waiting, "attempts": 0, "problem": "", "due_at": at}
    if not waiting:
        changes |= {"due_at": None, "ended_at": at}
    _update_open_sweep(
        row,
        listed=F("listed") + len(step.list_page.notices),
        missed=F("missed") + len(step.missed),
        **changes,
    )


def _begin_sweep(source: Source, since: datetime, at: datetime) -> int:
    adapter = SOURCES[source.adapter]
    assert isinstance(adapter, ListingUpstream)
    first = adapter.first_list_lookup(since)
    row = Sweep(
        id=uuid7_at(at),
        source=source,
        since=since,
        began_at=at,
        waiting=[[first.path, [list(pair) for pair in first.query]]],
        due_at=at,
    )
    return len(Sweep.objects.bulk_create([row], ignore_conflicts=True))


def _find_missed_leads(
    source: Source, page: LeadListPage, at: datetime
) -> tuple[IncomingDelivery, ...]:
    """Return the listed leads that no delivery of this source has brought."""
    adapter, endpoint = SOURCES[source.adapter], endpoint_of(source)
    listed = {}
    for body in page.notices:
        incoming = IncomingDelivery(
            method="LIST", body=body, received_at=at, endpoint=endpoint, is_verified=True
        )
        if key := adapter.read(incoming).idempotency_key:
            listed[delivery_key(source, key)] = incoming
    stored = set(DeliveryKey.objects.filter(key__in=listed).values_list("key", flat=True))
    return tuple(incoming for key, incoming in listed.items() if key not in stored)


def _next_try_at(step: SweepStep, at: datetime) -> datetime:
    """Return when to retry; a vendor's refusal is retried too, as the sweep must be completed."""
    if isinstance(step.failure, Misconfigured):
        return at + vendor_lookups.CREDENTIAL_RETRY_AFTER
    assert step.failure is not None
    return at + retry_delay(step.failure, step.sweep.attempts, BACK_OFF)


def _update_open_sweep(row: Sweep, **changes: object) -> None:
    Sweep.objects.filter(pk=row.pk, ended_at=None).update(**changes)

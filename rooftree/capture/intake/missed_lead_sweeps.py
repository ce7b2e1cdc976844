"""Going through a vendor's own list of leads: whichever is not here was missed, and is taken in.

One look-up at a time: claim, commit, ask, record. What is found missing is handed to the
caller, who stores it as if the vendor had posted it.
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
SWEEP_OVERLAP = timedelta(hours=1)  # a vendor may list a lead later than it was made
BACK_OFF = (15, 60, 300, 900)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStep:
    """One look-up of a sweep, made."""

    sweep: Sweep
    missed: tuple[IncomingDelivery, ...] = ()
    list_page: LeadListPage = LeadListPage()
    failure: VendorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """What going through a source's list has shown."""

    since: datetime  # of the vendor's leads
    complete_until: datetime | None  # up to here nothing can be missing; None while the first is under way
    missed: int  # were not here, and were taken in from the list
    problem: str


def sweep_progress(source: Source) -> SweepProgress | None:
    """How a source's list compares with ours; None where it was never gone through."""
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
    """Begin a sweep of every source that lists and was not gone through lately; how many.

    A source that may not ask yet (credentials are missing), or is paused, is left alone.
    """
    begun = 0
    lists = {key: one for key, one in SOURCES.items() if isinstance(one, ListingUpstream)}
    for source in Source.objects.filter(adapter__in=lists, paused_at=None).exclude(credentials=""):
        held = vendor_lookups.load_credentials(source)
        if not all(held.get(name) for name in lists[source.adapter].LISTING_CREDENTIALS):
            continue
        last = Sweep.objects.filter(source=source).order_by("-began_at").first()
        if last and (last.ended_at is None or last.began_at > at - SWEEP_INTERVAL):
            continue
        since = max(source.created_at, last.began_at - SWEEP_OVERLAP) if last else source.created_at
        begun += _begin_sweep(source, since, at)
    return begun


def run_next_step(*, at: datetime) -> SweepStep | None:
    """Make the look-up that is longest due; None when none is. Not in a transaction."""
    row = claim_due_row(Sweep.objects.select_related("source").filter(ended_at=None), at=at)
    if row is None:
        return None
    adapter = SOURCES[row.source.adapter]
    assert isinstance(adapter, ListingUpstream)
    path, query = row.waiting[0]
    lookup = Lookup(path=path, query=tuple((name, value) for name, value in query))
    try:
        told = vendor_lookups.ask_vendor(row.source, lookup)
    except VendorError as problem:
        return SweepStep(sweep=row, failure=problem)
    failure = adapter.classify_failure(told)
    if failure is None and not told.json_fields():  # an answer cut short would end the list too early
        failure = RetryLater("The vendor's list came back in pieces.")
    if failure is not None:
        return SweepStep(sweep=row, failure=failure)
    found = adapter.parse_list_page(lookup, told, row.since)
    return SweepStep(sweep=row, list_page=found, missed=_find_missed_leads(row.source, found, at))


def record_step(step: SweepStep, *, at: datetime) -> None:
    """Write a step down, in the transaction that stores what it found missing."""
    row, waiting = step.sweep, step.sweep.waiting
    if step.failure is not None:
        _update_open_sweep(row, problem=str(step.failure)[:300], due_at=_next_try_at(step, at))
        if isinstance(step.failure, Misconfigured):
            vendor_lookups.notify_rejected_credentials(row.source, step.failure, at)
        return
    more = [[one.path, [list(pair) for pair in one.query]] for one in step.list_page.next_lookups]
    waiting = waiting[1:] + [one for one in more if one not in waiting]
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
    source: Source, found: LeadListPage, at: datetime
) -> tuple[IncomingDelivery, ...]:
    """Those of the listed leads that no delivery of this source has brought."""
    adapter, endpoint = SOURCES[source.adapter], endpoint_of(source)
    named = {}
    for body in found.notices:
        one = IncomingDelivery(
            method="LIST", body=body, received_at=at, endpoint=endpoint, is_verified=True
        )
        if key := adapter.read(one).idempotency_key:
            named[delivery_key(source, key)] = one
    known = set(DeliveryKey.objects.filter(key__in=named).values_list("key", flat=True))
    return tuple(one for key, one in named.items() if key not in known)


def _next_try_at(step: SweepStep, at: datetime) -> datetime:
    """A no of the vendor is tried again as well: the list must be gone through in the end."""
    if isinstance(step.failure, Misconfigured):
        return at + vendor_lookups.CREDENTIAL_RETRY_AFTER
    assert step.failure is not None
    return at + retry_delay(step.failure, step.sweep.attempts, BACK_OFF)


def _update_open_sweep(row: Sweep, **changes: object) -> None:
    Sweep.objects.filter(pk=row.pk, ended_at=None).update(**changes)

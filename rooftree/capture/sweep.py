"""Going through a vendor's own list of leads: whichever is not here was missed, and is taken in.

One look-up at a time: claim, commit, ask, record. What is found missing is handed to the
caller, who stores it as if the vendor had posted it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Sum

from rooftree.capture import retrieve
from rooftree.capture.claim_due import claim_due
from rooftree.capture.envelope import Incoming
from rooftree.capture.keep import key_at
from rooftree.capture.models import Sweep
from rooftree.capture.receive import endpoint_of
from rooftree.capture.sources import SOURCES
from rooftree.capture.upstream import Listed, Lists, Lookup
from rooftree.core.failures import Failure, Misconfigured, TryLater, pause_after
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import DeliveryKey, Source

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=15)
OVERLAP = timedelta(hours=1)  # a vendor may list a lead later than it was made
BACK_OFF = (15, 60, 300, 900)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One look-up of a sweep, made."""

    sweep: Sweep
    missed: tuple[Incoming, ...] = ()
    listed: Listed = Listed()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What going through a source's list has shown."""

    since: datetime  # of the vendor's leads
    until: datetime | None  # up to here nothing can be missing; None while the first is under way
    missed: int  # were not here, and were taken in from the list
    problem: str


def so_far(source: Source) -> SoFar | None:
    """How a source's list compares with ours; None where it was never gone through."""
    rows = Sweep.objects.filter(source=source)
    newest = rows.order_by("-began_at").first()
    if newest is None:
        return None
    ended = rows.exclude(ended_at=None).order_by("-began_at").first()
    return SoFar(
        since=source.created_at,
        until=ended.began_at if ended else None,
        missed=rows.aggregate(all=Sum("missed"))["all"] or 0,
        problem="" if newest.ended_at else newest.problem,
    )


def begin_due(*, at: datetime) -> int:
    """Begin a sweep of every source that lists and was not gone through lately; how many.

    A source that may not ask yet (credentials are missing), or is paused, is left alone.
    """
    begun = 0
    lists = {key: one for key, one in SOURCES.items() if isinstance(one, Lists)}
    for source in Source.objects.filter(adapter__in=lists, paused_at=None).exclude(credentials=""):
        held = retrieve.credentials_of(source)
        if not all(held.get(name) for name in lists[source.adapter].LISTS_WITH):
            continue
        last = Sweep.objects.filter(source=source).order_by("-began_at").first()
        if last and (last.ended_at is None or last.began_at > at - EVERY):
            continue
        since = max(source.created_at, last.began_at - OVERLAP) if last else source.created_at
        begun += _begin(source, since, at)
    return begun


def ask_next(*, at: datetime) -> Step | None:
    """Make the look-up that is longest due; None when none is. Not in a transaction."""
    row = claim_due(Sweep.objects.select_related("source").filter(ended_at=None), at=at)
    if row is None:
        return None
    adapter = SOURCES[row.source.adapter]
    assert isinstance(adapter, Lists)
    path, query = row.waiting[0]
    lookup = Lookup(path=path, query=tuple((name, value) for name, value in query))
    try:
        told = retrieve.ask(row.source, lookup)
    except Failure as problem:
        return Step(sweep=row, failure=problem)
    failure = adapter.failure_of(told)
    if failure is None and not told.fields():  # an answer cut short would end the list too early
        failure = TryLater("The vendor's list came back in pieces.")
    if failure is not None:
        return Step(sweep=row, failure=failure)
    found = adapter.listed(lookup, told, row.since)
    return Step(sweep=row, listed=found, missed=_missed(row.source, found, at))


def record(step: Step, *, at: datetime) -> None:
    """Write a step down, in the transaction that stores what it found missing."""
    row, waiting = step.sweep, step.sweep.waiting
    if step.failure is not None:
        _set(row, problem=str(step.failure)[:300], due_at=_again(step, at))
        if isinstance(step.failure, Misconfigured):
            retrieve.tell_of_credentials(row.source, step.failure, at)
        return
    more = [[one.path, [list(pair) for pair in one.query]] for one in step.listed.more]
    waiting = waiting[1:] + [one for one in more if one not in waiting]
    changes = {"waiting": waiting, "attempts": 0, "problem": "", "due_at": at}
    if not waiting:
        changes |= {"due_at": None, "ended_at": at}
    _set(
        row,
        listed=F("listed") + len(step.listed.notices),
        missed=F("missed") + len(step.missed),
        **changes,
    )


def _begin(source: Source, since: datetime, at: datetime) -> int:
    adapter = SOURCES[source.adapter]
    assert isinstance(adapter, Lists)
    first = adapter.listing(since)
    row = Sweep(
        id=uuid7_at(at),
        source=source,
        since=since,
        began_at=at,
        waiting=[[first.path, [list(pair) for pair in first.query]]],
        due_at=at,
    )
    return len(Sweep.objects.bulk_create([row], ignore_conflicts=True))


def _missed(source: Source, found: Listed, at: datetime) -> tuple[Incoming, ...]:
    """Those of the listed leads that no delivery of this source has brought."""
    adapter, endpoint = SOURCES[source.adapter], endpoint_of(source)
    named = {}
    for body in found.notices:
        one = Incoming(
            method="LIST", body=body, received_at=at, endpoint=endpoint, is_verified=True
        )
        if key := adapter.read(one).idempotency_key:
            named[key_at(source, key)] = one
    known = set(DeliveryKey.objects.filter(key__in=named).values_list("key", flat=True))
    return tuple(one for key, one in named.items() if key not in known)


def _again(step: Step, at: datetime) -> datetime:
    """A no of the vendor is tried again as well: the list must be gone through in the end."""
    if isinstance(step.failure, Misconfigured):
        return at + retrieve.MEND_WITHIN
    assert step.failure is not None
    return at + pause_after(step.failure, step.sweep.attempts, BACK_OFF)


def _set(row: Sweep, **changes: object) -> None:
    Sweep.objects.filter(pk=row.pk, ended_at=None).update(**changes)

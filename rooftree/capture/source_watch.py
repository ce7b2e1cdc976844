"""Holding launched sources against what they usually bring: told once, ended when it is over.

Each source has a moment by which something will have come, reckoned from its newest
arrival. When it passes, its arrivals are looked at again: either the moment moves on, or a
named person hears of the silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from uuid import UUID

from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncHour
from django.db.transaction import atomic

from rooftree.capture.models import Baseline
from rooftree.capture.silence import LOOKED_AT, WEEK, Arrivals, Silence, by_baseline, silent_from
from rooftree.capture.sources import SOURCES
from rooftree.capture.standing import TAKEN
from rooftree.leads.models import Delivery, Lead, Phone, Source
from rooftree.ledger.write import write
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry
from rooftree.org import notices
from rooftree.org.insert import insert_all_once

FILES = [key for key, one in SOURCES.items() if hasattr(one, "KIND")]  # come when somebody uploads
AGAIN, LATER = timedelta(minutes=1), timedelta(days=1)
NEWEST = 2000  # arrivals whose pauses are measured
AT_ONCE = 50
FRESH = timedelta(days=30)  # leads that quality is told by
ENOUGH = 30  # of them
MARGIN = 2  # standard errors below what was agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of how many fresh leads how many can be reached by a number."""

    leads: int
    reached: int

    @property
    def pct(self) -> int | None:
        return round(100 * self.reached / self.leads) if self.leads else None

    def is_below(self, agreed_pct: int) -> bool:
        """Whether chance does not explain it any more; few leads say nothing."""
        if self.leads < ENOUGH:
            return False
        agreed = agreed_pct / 100
        slack = MARGIN * sqrt(agreed * (1 - agreed) / self.leads)
        return self.reached / self.leads < agreed - slack


@dataclass(frozen=True, slots=True, kw_only=True)
class Reality:
    """What a source brought in the last thirty days, beside what was agreed."""

    per_week: int
    quality: Quality
    price_cents: int | None  # of one, on average


def reality_of(source: Source, *, at: datetime) -> Reality:
    """What it brought."""
    leads = quality_of([source.pk], at=at).get(source.pk, Quality(leads=0, reached=0))
    came = _came(source).filter(received_at__gt=at - 4 * WEEK, outcome__in=TAKEN).count()
    costs = Entry.objects.filter(
        source=source, kind="cost", on_date__gt=company_day(at - FRESH)
    ).aggregate(average=Avg("amount_cents"))["average"]
    return Reality(
        per_week=round(came / 4),
        quality=leads,
        price_cents=None if costs is None else round(costs),
    )


def look_for_silence(*, at: datetime) -> int:
    """Look at the sources whose moment has passed; how many."""
    _begin()
    looked = 0
    while looked < AT_ONCE and _look_at_next(at):
        looked += 1
    return looked


def look_at_quality(*, at: datetime) -> None:
    """Hold what can be reached of each source's fresh leads against what was agreed."""
    held = _watched().filter(contactable_pct__isnull=False)
    found = quality_of([one.source_id for one in held], at=at)
    for one in held:
        quality = found.get(one.source_id, Quality(leads=0, reached=0))
        is_below = quality.is_below(one.contactable_pct or 0)
        if is_below == (one.drifted_at is not None):
            continue
        with atomic():
            _drift(one, quality, at if is_below else None, at)


def quality_of(source_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, Quality]:
    """By source, of the leads that began in the last thirty days."""
    number = Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    rows = (
        Lead.objects.filter(source__in=list(source_ids), is_test=False, created_at__gt=at - FRESH)
        .values("source")
        .annotate(leads=Count("pk"), reached=Count("pk", filter=Q(Exists(number))))
    )
    return {one["source"]: Quality(leads=one["leads"], reached=one["reached"]) for one in rows}


def _watched() -> QuerySet[Baseline]:
    """Sources that should bring something: launched, not paused, no tests, no files."""
    rows = Baseline.objects.select_related("source").exclude(source__adapter__in=FILES)
    return rows.filter(
        source__launched_at__isnull=False, source__paused_at=None, source__is_test=False
    )


def _begin() -> None:
    """A row for each source that has none."""
    insert_all_once([Baseline(source=one) for one in Source.objects.filter(baseline=None)])


def _look_at_next(at: datetime) -> bool:
    """Look at the source that is longest due; False when none is."""
    with atomic():
        due = _watched().filter(Q(due_at=None) | Q(due_at__lte=at))
        held = due.select_for_update(of=("self",), skip_locked=True)
        one = held.order_by(F("due_at").asc(nulls_first=True), "pk").first()
        if one is not None:
            _look(one, at)
    return one is not None


def _look(one: Baseline, at: datetime) -> None:
    newest = _newest(one.source, at)
    if one.silent_at and newest and (one.last_at is None or newest > one.last_at):
        _end(one, newest, at)
    silence = _silence(one, newest or one.source.launched_at or at)
    if silence and silence.at <= at and not one.silent_at:
        _alarm(one, newest, silence, at)
    one.last_at = newest
    one.due_at = AGAIN + at if one.silent_at else silence.at if silence else at + LATER
    one.save(update_fields=["last_at", "due_at", "silent_at"])


def _silence(one: Baseline, last_at: datetime) -> Silence | None:
    """The earliest of what its own past, what was agreed and what staff set say."""
    own = silent_from(_arrivals(one.source, last_at), company_zone())
    gap = one.source.expected_gap
    said = own or by_baseline(last_at, one.per_week)
    told = Silence(at=last_at + gap, usually=0) if gap else None
    return min(filter(None, (said, told)), key=lambda it: it.at, default=None)


def _newest(source: Source, at: datetime) -> datetime | None:
    came = _came(source).filter(received_at__lte=at).order_by("-received_at")
    return came.values_list("received_at", flat=True).first()


def _came(source: Source) -> QuerySet[Delivery]:
    """All that shows that it is alive; what is sent twice does as well."""
    return Delivery.objects.filter(source=source)


def _arrivals(source: Source, last_at: datetime) -> Arrivals:
    came = _came(source).filter(received_at__gt=last_at - LOOKED_AT, received_at__lte=last_at)
    hours = came.annotate(hour=TruncHour("received_at", tzinfo=UTC)).values_list("hour")
    newest = came.order_by("-received_at").values_list("received_at", flat=True)
    return Arrivals(
        by_hour=dict(hours.annotate(number=Count("pk"))), newest=list(newest[:NEWEST])[::-1]
    )


def _alarm(one: Baseline, newest: datetime | None, silence: Silence, at: datetime) -> None:
    one.silent_at = at
    zone = company_zone()
    since = (
        f"since {newest.astimezone(zone):%a %b %-d, %-I:%M %p}" if newest else "since its launch"
    )
    usual = f" It usually brings {silence.usually} in such a time." if silence.usually else ""
    _tell(one, "silent", f"{one.source} is silent: nothing came {since}.{usual}", at)


def _end(one: Baseline, newest: datetime, at: datetime) -> None:
    one.silent_at = None
    moment = newest.astimezone(company_zone())
    _tell(one, "back", f"{one.source} brings leads again, since {moment:%a %b %-d, %-I:%M %p}.", at)


def _drift(one: Baseline, quality: Quality, since: datetime | None, at: datetime) -> None:
    """Begin or end the alarm; nobody else does in the same moment."""
    was = Baseline.objects.filter(pk=one.pk, drifted_at=one.drifted_at)
    if not was.update(drifted_at=since):
        return
    of = f"{quality.pct}% of the {quality.leads} leads of 30 days" if quality.leads else "none"
    agreed = f"{one.contactable_pct}% were agreed"
    if since:
        _tell(one, "drifted", f"{one.source} got worse: {of} can be reached, {agreed}.", at)
    else:
        _tell(one, "steady", f"{one.source} is as agreed again: {of} can be reached.", at)


def _tell(one: Baseline, what: str, text: str, at: datetime) -> None:
    write(f"capture.source.{what}", at=at, actor="system", source_id=one.source_id, text=text)
    notices.tell_all(
        [
            notices.made(
                user_id=user.pk,
                kind=f"source_{what}",
                cause=f"{what}:{one.source_id}:{at.isoformat()}",
                text=text,
                link=f"/sources/{one.source_id}/",
                at=at,
            )
            for user in notices.alarm_users(one.watcher_id)
        ]
    )

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

from rooftree.capture.intake.source_quota import TAKEN_OUTCOMES
from rooftree.capture.models import Baseline
from rooftree.capture.source_setup.silence_thresholds import (
    LOOKBACK,
    WEEK,
    Arrivals,
    SilenceThreshold,
    threshold_from_arrivals,
    threshold_from_baseline,
)
from rooftree.capture.sources import SOURCES
from rooftree.db.bulk_insert import insert_new_rows
from rooftree.leads.models import Delivery, Lead, Phone, Source
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day, company_zone
from rooftree.money.models import Entry
from rooftree.org import staff_notices

FILE_ADAPTERS = [
    key for key, one in SOURCES.items() if hasattr(one, "RECORD_FORMAT")
]  # come when somebody uploads
RECHECK_WHILE_SILENT, RECHECK_WITHOUT_THRESHOLD = timedelta(minutes=1), timedelta(days=1)
MAX_MEASURED_ARRIVALS = 2000  # arrivals whose pauses are measured
MAX_SOURCES_PER_RUN = 50
QUALITY_PERIOD = timedelta(days=30)  # leads that quality is told by
MIN_LEADS = 30  # of them
MARGIN_STANDARD_ERRORS = 2  # standard errors below what was agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuality:
    """Of how many fresh leads how many can be reached by a number."""

    leads: int
    reachable: int

    @property
    def pct(self) -> int | None:
        return round(100 * self.reachable / self.leads) if self.leads else None

    def is_below(self, agreed_pct: int) -> bool:
        """Whether chance does not explain it any more; few leads say nothing."""
        if self.leads < MIN_LEADS:
            return False
        agreed = agreed_pct / 100
        slack = MARGIN_STANDARD_ERRORS * sqrt(agreed * (1 - agreed) / self.leads)
        return self.reachable / self.leads < agreed - slack


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActuals:
    """What a source brought in the last thirty days, beside what was agreed."""

    per_week: int
    quality: LeadQuality
    price_cents: int | None  # of one, on average


def measure_source(source: Source, *, at: datetime) -> SourceActuals:
    """What it brought."""
    leads = measure_quality([source.pk], at=at).get(source.pk, LeadQuality(leads=0, reachable=0))
    came = (
        _source_deliveries(source)
        .filter(received_at__gt=at - 4 * WEEK, outcome__in=TAKEN_OUTCOMES)
        .count()
    )
    costs = Entry.objects.filter(
        source=source, kind="cost", on_date__gt=company_day(at - QUALITY_PERIOD)
    ).aggregate(average=Avg("amount_cents"))["average"]
    return SourceActuals(
        per_week=round(came / 4),
        quality=leads,
        price_cents=None if costs is None else round(costs),
    )


def check_silent_sources(*, at: datetime) -> int:
    """Look at the sources whose moment has passed; how many."""
    _create_missing_baselines()
    looked = 0
    while looked < MAX_SOURCES_PER_RUN and _check_next_source(at):
        looked += 1
    return looked


def check_lead_quality(*, at: datetime) -> None:
    """Hold what can be reached of each source's fresh leads against what was agreed."""
    held = _watched_baselines().filter(contactable_pct__isnull=False)
    found = measure_quality([watched_baseline.source_id for watched_baseline in held], at=at)
    for watched_baseline in held:
        quality = found.get(watched_baseline.source_id, LeadQuality(leads=0, reachable=0))
        is_below = quality.is_below(watched_baseline.contactable_pct or 0)
        if is_below == (watched_baseline.drifted_at is not None):
            continue
        with atomic():
            _set_quality_alert(watched_baseline, quality, at if is_below else None, at)


def measure_quality(source_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, LeadQuality]:
    """By source, of the leads that began in the last thirty days."""
    number = Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    rows = (
        Lead.objects.filter(
            source__in=list(source_ids), is_test=False, created_at__gt=at - QUALITY_PERIOD
        )
        .values("source")
        .annotate(leads=Count("pk"), reached=Count("pk", filter=Q(Exists(number))))
    )
    return {row["source"]: LeadQuality(leads=row["leads"], reachable=row["reached"]) for row in rows}


def _watched_baselines() -> QuerySet[Baseline]:
    """Sources that should bring something: launched, not paused, no tests, no files."""
    rows = Baseline.objects.select_related("source").exclude(source__adapter__in=FILE_ADAPTERS)
    return rows.filter(
        source__launched_at__isnull=False, source__paused_at=None, source__is_test=False
    )


def _create_missing_baselines() -> None:
    """A row for each source that has none."""
    insert_new_rows([Baseline(source=source) for source in Source.objects.filter(baseline=None)])


def _check_next_source(at: datetime) -> bool:
    """Look at the source that is longest due; False when none is."""
    with atomic():
        due = _watched_baselines().filter(Q(due_at=None) | Q(due_at__lte=at))
        held = due.select_for_update(of=("self",), skip_locked=True)
        one = held.order_by(F("due_at").asc(nulls_first=True), "pk").first()
        if one is not None:
            _check_source(one, at)
    return one is not None


def _check_source(one: Baseline, at: datetime) -> None:
    newest = _newest_arrival_at(one.source, at)
    if one.silent_at and newest and (one.last_at is None or newest > one.last_at):
        _end_silence_alert(one, newest, at)
    silence = _earliest_threshold(one, newest or one.source.launched_at or at)
    if silence and silence.at <= at and not one.silent_at:
        _start_silence_alert(one, newest, silence, at)
    one.last_at = newest
    one.due_at = (
        RECHECK_WHILE_SILENT + at
        if one.silent_at
        else silence.at
        if silence
        else at + RECHECK_WITHOUT_THRESHOLD
    )
    one.save(update_fields=["last_at", "due_at", "silent_at"])


def _earliest_threshold(one: Baseline, last_at: datetime) -> SilenceThreshold | None:
    """The earliest of what its own past, what was agreed and what staff set say."""
    own = threshold_from_arrivals(_load_arrivals(one.source, last_at), company_zone())
    gap = one.source.expected_gap
    said = own or threshold_from_baseline(last_at, one.per_week)
    told = SilenceThreshold(at=last_at + gap, expected_count=0) if gap else None
    return min(filter(None, (said, told)), key=lambda it: it.at, default=None)


def _newest_arrival_at(source: Source, at: datetime) -> datetime | None:
    came = _source_deliveries(source).filter(received_at__lte=at).order_by("-received_at")
    return came.values_list("received_at", flat=True).first()


def _source_deliveries(source: Source) -> QuerySet[Delivery]:
    """All that shows that it is alive; what is sent twice does as well."""
    return Delivery.objects.filter(source=source)


def _load_arrivals(source: Source, last_at: datetime) -> Arrivals:
    came = _source_deliveries(source).filter(
        received_at__gt=last_at - LOOKBACK, received_at__lte=last_at
    )
    hours = came.annotate(hour=TruncHour("received_at", tzinfo=UTC)).values_list("hour")
    newest = came.order_by("-received_at").values_list("received_at", flat=True)
    return Arrivals(
        by_hour=dict(hours.annotate(number=Count("pk"))),
        recent_arrivals=list(newest[:MAX_MEASURED_ARRIVALS])[::-1],
    )


def _start_silence_alert(
    one: Baseline, newest: datetime | None, silence: SilenceThreshold, at: datetime
) -> None:
    one.silent_at = at
    zone = company_zone()
    since = (
        f"since {newest.astimezone(zone):%a %b %-d, %-I:%M %p}" if newest else "since its launch"
    )
    usual = f" It usually brings {silence.expected_count} in such a time." if silence.expected_count else ""
    _notify_staff(one, "silent", f"{one.source} is silent: nothing came {since}.{usual}", at)


def _end_silence_alert(one: Baseline, newest: datetime, at: datetime) -> None:
    one.silent_at = None
    moment = newest.astimezone(company_zone())
    _notify_staff(
        one, "back", f"{one.source} brings leads again, since {moment:%a %b %-d, %-I:%M %p}.", at
    )


def _set_quality_alert(
    one: Baseline, quality: LeadQuality, since: datetime | None, at: datetime
) -> None:
    """Begin or end the alarm; nobody else does in the same moment."""
    was = Baseline.objects.filter(pk=one.pk, drifted_at=one.drifted_at)
    if not was.update(drifted_at=since):
        return
    of = f"{quality.pct}% of the {quality.leads} leads of 30 days" if quality.leads else "none"
    agreed = f"{one.contactable_pct}% were agreed"
    if since:
        _notify_staff(one, "drifted", f"{one.source} got worse: {of} can be reached, {agreed}.", at)
    else:
        _notify_staff(one, "steady", f"{one.source} is as agreed again: {of} can be reached.", at)


def _notify_staff(one: Baseline, what: str, text: str, at: datetime) -> None:
    write_event(f"capture.source.{what}", at=at, actor="system", source_id=one.source_id, text=text)
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=user.pk,
                kind=f"source_{what}",
                cause=f"{what}:{one.source_id}:{at.isoformat()}",
                text=text,
                link=f"/sources/{one.source_id}/",
                at=at,
            )
            for user in staff_notices.alarm_users(one.watcher_id)
        ]
    )

"""Alerts about launched sources that are silent, or whose lead quality has dropped.

Each source has a time by which a new lead is expected, computed from its newest arrival.
When that time passes, its arrivals are checked again: either the time moves on, or the
source's watcher is notified of the silence, once. The alert ends by itself.
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

# Sources whose leads arrive only when a user uploads a file.
FILE_ADAPTERS = [key for key, adapter in SOURCES.items() if hasattr(adapter, "RECORD_FORMAT")]
RECHECK_WHILE_SILENT, RECHECK_WITHOUT_THRESHOLD = timedelta(minutes=1), timedelta(days=1)
MAX_MEASURED_ARRIVALS = 2000  # arrivals whose pauses are measured
MAX_SOURCES_PER_RUN = 50
QUALITY_PERIOD = timedelta(days=30)  # age of the leads by which quality is measured
MIN_LEADS = 30  # fewer leads give no quality alert
MARGIN_STANDARD_ERRORS = 2  # standard errors below the agreed share before an alert


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuality:
    """The number of new leads, and of those with a working phone number."""

    leads: int
    reachable: int

    @property
    def pct(self) -> int | None:
        """The reachable share in percent; None without leads."""
        return round(100 * self.reachable / self.leads) if self.leads else None

    def is_below(self, agreed_pct: int) -> bool:
        """Decide whether the share is below the agreed one by more than chance explains.

        Fewer than `MIN_LEADS` leads are never below.
        """
        if self.leads < MIN_LEADS:
            return False
        agreed = agreed_pct / 100
        margin = MARGIN_STANDARD_ERRORS * sqrt(agreed * (1 - agreed) / self.leads)
        return self.reachable / self.leads < agreed - margin


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActuals:
    """The actual figures of a source in recent weeks, to compare with the agreed ones."""

    per_week: int  # average of the last four weeks
    quality: LeadQuality  # last 30 days
    price_cents: int | None  # average per lead, last 30 days


def measure_source(source: Source, *, at: datetime) -> SourceActuals:
    """Measure a source's volume, quality and price."""
    quality = measure_quality([source.pk], at=at).get(source.pk, LeadQuality(leads=0, reachable=0))
    deliveries = Delivery.objects.filter(
        source=source, received_at__gt=at - 4 * WEEK, outcome__in=TAKEN_OUTCOMES
    )
    average_cost = Entry.objects.filter(
        source=source, kind="cost", on_date__gt=company_day(at - QUALITY_PERIOD)
    ).aggregate(average=Avg("amount_cents"))["average"]
    return SourceActuals(
        per_week=round(deliveries.count() / 4),
        quality=quality,
        price_cents=None if average_cost is None else round(average_cost),
    )


def check_silent_sources(*, at: datetime) -> int:
    """Check the sources that are due for a silence check; return the number checked."""
    insert_new_rows([Baseline(source=source) for source in Source.objects.filter(baseline=None)])
    count = 0
    while count < MAX_SOURCES_PER_RUN and _check_next_source(at):
        count += 1
    return count


def check_lead_quality(*, at: datetime) -> None:
    """Start or end the quality alert of each source with an agreed quality."""
    baselines = _watched_baselines().filter(contactable_pct__isnull=False)
    qualities = measure_quality([baseline.source_id for baseline in baselines], at=at)
    for baseline in baselines:
        quality = qualities.get(baseline.source_id, LeadQuality(leads=0, reachable=0))
        is_below = quality.is_below(baseline.contactable_pct or 0)
        if is_below == (baseline.drifted_at is not None):
            continue
        with atomic():
            _set_quality_alert(baseline, quality, at if is_below else None, at)


def measure_quality(source_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, LeadQuality]:
    """Measure the quality of the last 30 days' new leads, by source id."""
    number = Phone.objects.filter(person=OuterRef("person"), unlinked_at=None)
    rows = (
        Lead.objects.filter(
            source__in=list(source_ids), is_test=False, created_at__gt=at - QUALITY_PERIOD
        )
        .values("source")
        .annotate(leads=Count("pk"), reached=Count("pk", filter=Q(Exists(number))))
    )
    return {
        row["source"]: LeadQuality(leads=row["leads"], reachable=row["reached"]) for row in rows
    }


def _watched_baselines() -> QuerySet[Baseline]:
    """Return the baselines of sources that send leads: launched, not paused, no test or file."""
    rows = Baseline.objects.select_related("source").exclude(source__adapter__in=FILE_ADAPTERS)
    return rows.filter(
        source__launched_at__isnull=False, source__paused_at=None, source__is_test=False
    )


def _check_next_source(at: datetime) -> bool:
    """Check the source that has been due longest; False if none is due."""
    with atomic():
        due = _watched_baselines().filter(Q(due_at=None) | Q(due_at__lte=at))
        rows = due.select_for_update(of=("self",), skip_locked=True)
        baseline = rows.order_by(F("due_at").asc(nulls_first=True), "pk").first()
        if baseline is not None:
            _check_source(baseline, at)
    return baseline is not None


def _check_source(baseline: Baseline, at: datetime) -> None:
    """Start or end one source's silence alert, and schedule its next check."""
    # Every delivery counts, repeated ones too: it shows that the source is alive.
    arrivals = Delivery.objects.filter(source=baseline.source, received_at__lte=at)
    newest = arrivals.order_by("-received_at").values_list("received_at", flat=True).first()
    if baseline.silent_at and newest and (baseline.last_at is None or newest > baseline.last_at):
        _end_silence_alert(baseline, newest, at)
    threshold = _earliest_threshold(baseline, newest or baseline.source.launched_at or at)
    if threshold and threshold.at <= at and not baseline.silent_at:
        _start_silence_alert(baseline, newest, threshold, at)
    baseline.last_at = newest
    baseline.due_at = (
        RECHECK_WHILE_SILENT + at
        if baseline.silent_at
        else threshold.at
        if threshold
        else at + RECHECK_WITHOUT_THRESHOLD
    )
    baseline.save(update_fields=["last_at", "due_at", "silent_at"])


def _earliest_threshold(baseline: Baseline, last_at: datetime) -> SilenceThreshold | None:
    """Return the earlier of two thresholds: the computed one and the gap that staff set.

    The threshold is computed from past arrivals, or from the agreed volume without enough of them.
    """
    computed = threshold_from_arrivals(
        _load_arrivals(baseline.source, last_at), company_zone()
    ) or threshold_from_baseline(last_at, baseline.per_week)
    gap = baseline.source.expected_gap
    set_by_staff = SilenceThreshold(at=last_at + gap, expected_count=0) if gap else None
    thresholds = filter(None, (computed, set_by_staff))
    return min(thresholds, key=lambda threshold: threshold.at, default=None)


def _load_arrivals(source: Source, last_at: datetime) -> Arrivals:
    deliveries = Delivery.objects.filter(
        source=source, received_at__gt=last_at - LOOKBACK, received_at__lte=last_at
    )
    hours = deliveries.annotate(hour=TruncHour("received_at", tzinfo=UTC)).values_list("hour")
    newest = deliveries.order_by("-received_at").values_list("received_at", flat=True)
    return Arrivals(
        by_hour=dict(hours.annotate(number=Count("pk"))),
        recent_arrivals=list(newest[:MAX_MEASURED_ARRIVALS])[::-1],
    )


def _start_silence_alert(
    baseline: Baseline, newest: datetime | None, threshold: SilenceThreshold, at: datetime
) -> None:
    baseline.silent_at = at
    zone = company_zone()
    since = (
        f"since {newest.astimezone(zone):%a %b %-d, %-I:%M %p}" if newest else "since its launch"
    )
    usual = (
        f" It usually sends {threshold.expected_count} in that time."
        if threshold.expected_count
        else ""
    )
    _notify_staff(baseline, "silent", f"{baseline.source} is silent: no leads {since}.{usual}", at)


def _end_silence_alert(baseline: Baseline, newest: datetime, at: datetime) -> None:
    baseline.silent_at = None
    since = newest.astimezone(company_zone())
    _notify_staff(
        baseline,
        "back",
        f"{baseline.source} is sending leads again, since {since:%a %b %-d, %-I:%M %p}.",
        at,
    )


def _set_quality_alert(
    baseline: Baseline, quality: LeadQuality, since: datetime | None, at: datetime
) -> None:
    """Start or end the quality alert, unless another process changed it meanwhile."""
    unchanged = Baseline.objects.filter(pk=baseline.pk, drifted_at=baseline.drifted_at)
    if not unchanged.update(drifted_at=since):
        return
    share = (
        f"{quality.pct}% of {quality.leads} leads in 30 days are reachable"
        if quality.leads
        else "no leads in 30 days"
    )
    agreed = f"{baseline.contactable_pct}% agreed"
    if since:
        text = f"Lead quality of {baseline.source} dropped: {share}, {agreed}."
        _notify_staff(baseline, "drifted", text, at)
    else:
        text = f"Lead quality of {baseline.source} is back to normal: {share}."
        _notify_staff(baseline, "steady", text, at)


def _notify_staff(baseline: Baseline, change: str, text: str, at: datetime) -> None:
    write_event(
        f"capture.source.{change}",
        at=at,
        actor="system",
        source_id=baseline.source_id,
        text=text,
    )
    staff_notices.save_notices(
        [
            staff_notices.build_notice(
                user_id=user.pk,
                kind=f"source_{change}",
                cause=f"{change}:{baseline.source_id}:{at.isoformat()}",
                text=text,
                link=f"/sources/{baseline.source_id}/",
                at=at,
            )
            for user in staff_notices.alarm_users(baseline.watcher_id)
        ]
    )

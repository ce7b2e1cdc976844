"""Rate watches: alert a borrower once when a rate reaches their target."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.rates.record_rates import MAX_PCT, MIN_PCT, PRODUCTS, InvalidRate


def set_watch(
    *, lead: Lead, product: str, target_pct: Decimal, by: User | None, at: datetime
) -> RateWatch:
    """Watch `product` for the lead until its rate is at `target_pct` or below.

    A live watch on the same product with another target is replaced; the same target
    again changes nothing. Raises `InvalidRate`.
    """
    if product not in PRODUCTS or not MIN_PCT <= target_pct <= MAX_PCT:
        raise InvalidRate(f"A rate of {target_pct}% for {product} can't be watched.")
    with transaction.atomic():
        # The lead's row is the lock: two concurrent calls must not both find no watch.
        Lead.objects.select_for_update(no_key=True, of=("self",)).get(pk=lead.pk)
        live = _live_watches().filter(lead=lead, product=product).first()
        if live and live.target_pct == target_pct:
            return live
        if live:
            _end_live_watch(live, because="replaced", by=by, at=at)
        watch = RateWatch.objects.create(
            lead=lead, product=product, target_pct=target_pct, set_by=by, set_at=at
        )
        write_event(
            "rates.watch.set",
            at=at,
            actor=_ledger_actor(by),
            lead_id=lead.pk,
            watch_id=watch.pk,
            product=product,
            target_pct=str(target_pct),
        )
    return watch


def end_watch(watch: RateWatch, *, because: str, by: User | None, at: datetime) -> bool:
    """End a watch; return False if it had already ended or been reached."""
    with transaction.atomic():
        return _end_live_watch(watch, because=because, by=by, at=at)


def mark_reached_watches(observation: RateObservation, *, at: datetime) -> list[RateWatch]:
    """Mark every live watch that this observation satisfies; return the newly reached ones.

    Each watch is returned to one caller only: of two concurrent calls, exactly one
    changes the row. A rate seen before the watch was set does not reach it.
    """
    due = _live_watches().filter(
        product=observation.product,
        target_pct__gte=observation.rate_pct,
        set_at__lte=observation.observed_at,
    )
    with transaction.atomic():
        watches = due.select_for_update(of=("self",)).order_by("id").select_related("lead")
        return [watch for watch in watches if _mark_reached(watch, observation, at=at)]


def _mark_reached(watch: RateWatch, observation: RateObservation, *, at: datetime) -> bool:
    is_updated = _live_watches().filter(pk=watch.pk).update(reached_at=at, reached_by=observation)
    if not is_updated:
        return False
    watch.reached_at, watch.reached_by = at, observation
    write_event(
        "rates.watch.reached",
        at=at,
        actor="system:rates",
        lead_id=watch.lead_id,
        watch_id=watch.pk,
        observation_id=observation.pk,
        target_pct=str(watch.target_pct),
        rate_pct=str(observation.rate_pct),
    )
    return True


def _end_live_watch(watch: RateWatch, *, because: str, by: User | None, at: datetime) -> bool:
    if not _live_watches().filter(pk=watch.pk).update(ended_at=at):
        return False
    write_event(
        "rates.watch.ended",
        at=at,
        actor=_ledger_actor(by),
        lead_id=watch.lead_id,
        watch_id=watch.pk,
        because=because,
    )
    return True


def _live_watches() -> QuerySet[RateWatch]:
    return RateWatch.objects.filter(ended_at=None, reached_at=None)


def _ledger_actor(by: User | None) -> str:
    return f"user:{by.pk}" if by else "system:rates"

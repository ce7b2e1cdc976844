"""Facts that decide whether a source's next inquiry is accepted: licenses, and caps used so far.

Loaded during the request, by index only, for posts and for pings. Must be loaded in a
transaction when the source has caps.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, Concat

from rooftree.capture.bidding.bid_rules import post_key
from rooftree.capture.intake.source_admission import SourceChanged
from rooftree.capture.intake.store_delivery import delivery_key
from rooftree.capture.models import PlacedBid
from rooftree.capture.source_setup.acceptance_limits import (
    AcceptanceLimits,
    LimitFacts,
    Span,
    TakenTotals,
)
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.money.company_day import company_zone
from rooftree.org.models import AUTHORIZING_STATUSES, CompanyLicense, License

TAKEN_OUTCOMES = ("accepted", "quarantined")  # a lead that is not usable yet was accepted as well
PRICE_EXPRESSION = Coalesce("price_cents", "source__cost_cents", Value(0))


def load_limit_facts(
    source: Source, limits: AcceptanceLimits, *, state: str, has_asked_recently: bool, at: datetime
) -> LimitFacts:
    """Load the facts that a source's acceptance limits are checked against.

    If there are caps, lock the source, so that two concurrent inquiries never both take the
    last place under a cap. Raises `SourceChanged` when the source was deleted.

    Args:
        has_asked_recently: the person inquired within `limits.duplicate_days`.
    """
    if limits.has_caps():
        locked = Source.objects.select_for_update(no_key=True).filter(pk=source.pk)
        if not locked.values_list("pk"):
            raise SourceChanged(f"{source} was deleted.")
    return LimitFacts(
        is_in_audit=source.launched_at is None,
        licensed=licensed_states(state, at) if limits.licensed_only else frozenset(),
        has_asked_recently=has_asked_recently,
        taken_totals=taken_by_span(source, limits, at),
    )


def licensed_states(state: str, at: datetime) -> frozenset[str]:
    """Return {state} if both the company and one loan officer are licensed there; else empty."""
    day = at.astimezone(company_zone()).date()
    company_licenses = CompanyLicense.objects.filter(state=state, from_date__lte=day)
    officer_licenses = License.objects.filter(
        state=state,
        status__in=AUTHORIZING_STATUSES,
        from_date__lte=day,
        officer__terminated_at=None,
    )
    is_licensed = all(
        licenses.filter(until_date=None).exists() or licenses.filter(until_date__gt=day).exists()
        for licenses in (company_licenses, officer_licenses)
    )
    return frozenset({state} if state and is_licensed else ())


def taken_by_span(
    source: Source, limits: AcceptanceLimits, at: datetime
) -> dict[Span, TakenTotals]:
    """Return the accepted leads and cents of each capped span, open bids included."""
    starts = {
        span: start
        for span, start in span_starts(at, company_zone()).items()
        if span in limits.leads or span in limits.cents
    }
    if not starts:
        return {}
    accepted = Delivery.objects.filter(
        source=source,
        received_at__gte=min(starts.values()),
        received_at__lte=at,
        outcome__in=TAKEN_OUTCOMES,
    )
    since = {span: Q(received_at__gte=start) for span, start in starts.items()}
    sums = accepted.aggregate(
        **{f"n_{span}": Count("pk", filter=q) for span, q in since.items()},
        **{f"c_{span}": Sum(PRICE_EXPRESSION, filter=q) for span, q in since.items()},
    )
    bids = _open_bid_totals(source, at)
    return {
        span: TakenTotals(
            leads=sums[f"n_{span}"] + bids.leads, cents=(sums[f"c_{span}"] or 0) + bids.cents
        )
        for span in starts
    }


def span_starts(at: datetime, zone: ZoneInfo) -> Mapping[Span, datetime]:
    """Return the start of the current hour, day and month in the company's time zone."""
    local = at.astimezone(zone)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    past_hour = timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return {Span.HOUR: at - past_hour, Span.DAY: day, Span.MONTH: day.replace(day=1)}


def _open_bid_totals(source: Source, at: datetime) -> TakenTotals:
    """Return the totals of unexpired bids whose post has not arrived."""
    key = Concat(Value(delivery_key(source, post_key(""))), OuterRef("ping_id"))
    bids = PlacedBid.objects.filter(
        ~Exists(DeliveryKey.objects.filter(key=key)),
        source=source,
        expires_at__gte=at,
        cents__gt=0,
    ).aggregate(leads=Count("pk"), cents=Sum("cents"))
    return TakenTotals(leads=bids["leads"], cents=bids["cents"] or 0)

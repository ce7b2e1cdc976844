"""What taking one more inquiry of a source depends on: our licenses, and what was taken so far.

Asked in the request, from indexes alone, for posts and for pings. Must be asked in a
transaction where there are caps.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, Concat

from rooftree.capture.bidding.bid_rules import post_key
from rooftree.capture.intake.source_lookup import SourceChanged
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

TAKEN_OUTCOMES = ("accepted", "quarantined")  # one that cannot be used yet was taken as well
PRICE_EXPRESSION = Coalesce("price_cents", "source__cost_cents", Value(0))


def load_limit_facts(
    source: Source, limits: AcceptanceLimits, *, state: str, has_asked_recently: bool, at: datetime
) -> LimitFacts:
    """Two at once never both take the last place under a cap: one waits.

    Raises `Outdated` when the source is gone.

    Args:
        is_known: the person asked within the window that `limits` names.
    """
    if limits.has_caps():
        held = Source.objects.select_for_update(no_key=True).filter(pk=source.pk)
        if not held.values_list("pk"):
            raise SourceChanged(f"{source} is gone.")
    return LimitFacts(
        is_in_audit=source.launched_at is None,
        licensed=licensed_states(state, at) if limits.licensed_only else frozenset(),
        has_asked_recently=has_asked_recently,
        taken_totals=taken_by_span(source, limits, at),
    )


def licensed_states(state: str, at: datetime) -> frozenset[str]:
    """The state, when the company may lend there and somebody here may originate there."""
    day = at.astimezone(company_zone()).date()
    ours = CompanyLicense.objects.filter(state=state, from_date__lte=day)
    theirs = License.objects.filter(
        state=state,
        status__in=AUTHORIZING_STATUSES,
        from_date__lte=day,
        officer__terminated_at=None,
    )
    holds = all(
        held.filter(until_date=None).exists() or held.filter(until_date__gt=day).exists()
        for held in (ours, theirs)
    )
    return frozenset({state} if state and holds else ())


def taken_by_span(
    source: Source, limits: AcceptanceLimits, at: datetime
) -> dict[Span, TakenTotals]:
    """What was taken in each span that has a cap, and bids that may still become a lead."""
    all_begins = span_starts(at, company_zone())
    begins = {span: one for span, one in all_begins.items() if _is_capped(span, limits)}
    if not begins:
        return {}
    came = Delivery.objects.filter(
        source=source,
        received_at__gte=min(begins.values()),
        received_at__lte=at,
        outcome__in=TAKEN_OUTCOMES,
    )
    sums = came.aggregate(
        **{f"n_{span}": Count("pk", filter=_received_since(one)) for span, one in begins.items()},
        **{
            f"c_{span}": Sum(PRICE_EXPRESSION, filter=_received_since(one))
            for span, one in begins.items()
        },
    )
    out = _open_bid_totals(source, at)
    return {
        span: TakenTotals(
            leads=sums[f"n_{span}"] + out.leads, cents=(sums[f"c_{span}"] or 0) + out.cents
        )
        for span in begins
    }


def span_starts(at: datetime, zone: ZoneInfo) -> Mapping[Span, datetime]:
    """When the company's hour, day and month began."""
    here = at.astimezone(zone)
    day = here.replace(hour=0, minute=0, second=0, microsecond=0)
    into = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
    return {Span.HOUR: at - into, Span.DAY: day, Span.MONTH: day.replace(day=1)}


def _is_capped(span: Span, limits: AcceptanceLimits) -> bool:
    return span in limits.leads or span in limits.cents


def _received_since(moment: datetime) -> Q:
    return Q(received_at__gte=moment)


def _open_bid_totals(source: Source, at: datetime) -> TakenTotals:
    """Bids that hold, and whose post has not come."""
    post = Concat(Value(delivery_key(source, post_key(""))), OuterRef("ping_id"))
    bids = PlacedBid.objects.filter(
        ~Exists(DeliveryKey.objects.filter(key=post)),
        source=source,
        expires_at__gte=at,
        cents__gt=0,
    ).aggregate(leads=Count("pk"), cents=Sum("cents"))
    return TakenTotals(leads=bids["leads"], cents=bids["cents"] or 0)

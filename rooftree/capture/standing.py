"""What taking one more inquiry of a source depends on: our licenses, and what was taken so far.

Asked in the request, from indexes alone, for posts and for pings. Must be asked in a
transaction where there are caps.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce, Concat

from rooftree.capture.acceptance import Limits, Span, Standing, Taken
from rooftree.capture.bidding import post_key
from rooftree.capture.keep import key_at
from rooftree.capture.models import PlacedBid
from rooftree.capture.recognise import Outdated
from rooftree.leads.models import Delivery, DeliveryKey, Source
from rooftree.money.company_day import company_zone
from rooftree.org.models import AUTHORIZING, CompanyLicense, License

TAKEN = ("accepted", "quarantined")  # one that cannot be used yet was taken as well
PRICE = Coalesce("price_cents", "source__cost_cents", Value(0))


def standing(
    source: Source, limits: Limits, *, state: str, is_known: bool, at: datetime
) -> Standing:
    """Two at once never both take the last place under a cap: one waits.

    Raises `Outdated` when the source is gone.

    Args:
        is_known: the person asked within the window that `limits` names.
    """
    if limits.has_caps():
        held = Source.objects.select_for_update(no_key=True).filter(pk=source.pk)
        if not held.values_list("pk"):
            raise Outdated(f"{source} is gone.")
    return Standing(
        is_in_audit=source.launched_at is None,
        licensed=licensed(state, at) if limits.licensed_only else frozenset(),
        is_known=is_known,
        taken=taken(source, limits, at),
    )


def licensed(state: str, at: datetime) -> frozenset[str]:
    """The state, when the company may lend there and somebody here may originate there."""
    day = at.astimezone(company_zone()).date()
    ours = CompanyLicense.objects.filter(state=state, from_date__lte=day)
    theirs = License.objects.filter(
        state=state, status__in=AUTHORIZING, from_date__lte=day, officer__terminated_at=None
    )
    holds = all(
        held.filter(until_date=None).exists() or held.filter(until_date__gt=day).exists()
        for held in (ours, theirs)
    )
    return frozenset({state} if state and holds else ())


def taken(source: Source, limits: Limits, at: datetime) -> dict[Span, Taken]:
    """What was taken in each span that has a cap, and bids that may still become a lead."""
    all_begins = begins_of(at, company_zone())
    begins = {span: one for span, one in all_begins.items() if _is_capped(span, limits)}
    if not begins:
        return {}
    came = Delivery.objects.filter(
        source=source,
        received_at__gte=min(begins.values()),
        received_at__lte=at,
        outcome__in=TAKEN,
    )
    sums = came.aggregate(
        **{f"n_{span}": Count("pk", filter=_since(one)) for span, one in begins.items()},
        **{f"c_{span}": Sum(PRICE, filter=_since(one)) for span, one in begins.items()},
    )
    out = _still_out(source, at)
    return {
        span: Taken(leads=sums[f"n_{span}"] + out.leads, cents=(sums[f"c_{span}"] or 0) + out.cents)
        for span in begins
    }


def begins_of(at: datetime, zone: ZoneInfo) -> Mapping[Span, datetime]:
    """When the company's hour, day and month began."""
    here = at.astimezone(zone)
    day = here.replace(hour=0, minute=0, second=0, microsecond=0)
    into = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
    return {Span.HOUR: at - into, Span.DAY: day, Span.MONTH: day.replace(day=1)}


def _is_capped(span: Span, limits: Limits) -> bool:
    return span in limits.leads or span in limits.cents


def _since(moment: datetime) -> Q:
    return Q(received_at__gte=moment)


def _still_out(source: Source, at: datetime) -> Taken:
    """Bids that hold, and whose post has not come."""
    post = Concat(Value(key_at(source, post_key(""))), OuterRef("ping_id"))
    bids = PlacedBid.objects.filter(
        ~Exists(DeliveryKey.objects.filter(key=post)),
        source=source,
        expires_at__gte=at,
        cents__gt=0,
    ).aggregate(leads=Count("pk"), cents=Sum("cents"))
    return Taken(leads=bids["leads"], cents=bids["cents"] or 0)

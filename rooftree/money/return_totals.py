"""What vendors owe back, by source: to be sent, with them, answered, won and lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from rooftree.money.models import Claim

SETTLED_PERIOD = timedelta(days=90)  # what was won or lost before is history
UNSENT_FILTER = Q(state="drafted")
WITH_VENDOR_FILTER = Q(state__in=["sent", "disputed"])
ANSWERED_FILTER = Q(state__in=["refused", "credited"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTotals:
    """The returns of one source: how many, and how many cents of them are open."""

    unsent: int = 0
    unsent_cents: int = 0
    send_by: datetime | None = None  # of the first
    with_vendor: int = 0
    with_vendor_cents: int = 0
    answered: int = 0  # with less than was asked, and somebody must say what now
    answered_cents: int = 0
    lost_cents: int = 0
    won_cents: int = 0


NO_RETURNS = ReturnTotals()


def totals_by_source(claims: QuerySet[Claim], *, at: datetime) -> Mapping[UUID, ReturnTotals]:
    """Those of these claims, by the key of the source; one statement."""
    recent = Q(drafted_at__gte=at - SETTLED_PERIOD)
    lost = recent & Q(state="closed", closed_as__in=["missed", "refused"])
    rows = (
        claims.order_by()
        .values("source_id")
        .annotate(
            unsent=Count("pk", filter=UNSENT_FILTER),
            unsent_cents=_sum_uncredited(UNSENT_FILTER),
            send_by=Min("send_by", filter=UNSENT_FILTER),
            with_vendor=Count("pk", filter=WITH_VENDOR_FILTER),
            with_vendor_cents=_sum_uncredited(WITH_VENDOR_FILTER),
            answered=Count("pk", filter=ANSWERED_FILTER),
            answered_cents=_sum_uncredited(ANSWERED_FILTER),
            lost_cents=_sum_uncredited(lost),
            won_cents=Sum("credited_cents", filter=recent, default=0),
        )
    )
    found: dict[UUID, ReturnTotals] = {}
    for row in rows:
        sums: dict[str, Any] = {**row}
        source_id = sums.pop("source_id")
        found[source_id] = ReturnTotals(**sums)
    return found


def _sum_uncredited(which: Q) -> Sum:
    """What is asked and not credited of them."""
    return Sum(F("asked_cents") - F("credited_cents"), filter=which, default=0)

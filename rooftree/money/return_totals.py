"""Totals of returns by source: unsent, with the vendor, answered, won and lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from rooftree.money.models import Claim

SETTLED_PERIOD = timedelta(days=90)  # for amounts won and lost
UNSENT_FILTER = Q(state="drafted")
WITH_VENDOR_FILTER = Q(state__in=["sent", "disputed"])
ANSWERED_FILTER = Q(state__in=["refused", "credited"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTotals:
    """The returns of one source: counts and open amounts in cents."""

    unsent: int = 0
    unsent_cents: int = 0
    send_by: datetime | None = None  # the earliest deadline of the unsent
    with_vendor: int = 0
    with_vendor_cents: int = 0
    answered: int = 0  # refused or credited in part; staff must dispute or close them
    answered_cents: int = 0
    lost_cents: int = 0
    won_cents: int = 0


NO_RETURNS = ReturnTotals()


def totals_by_source(claims: QuerySet[Claim], *, at: datetime) -> Mapping[UUID, ReturnTotals]:
    """Sum claims by source id, in one query."""
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
    totals: dict[UUID, ReturnTotals] = {}
    for row in rows:
        sums: dict[str, Any] = {**row}
        source_id = sums.pop("source_id")
        totals[source_id] = ReturnTotals(**sums)
    return totals


def _sum_uncredited(condition: Q) -> Sum:
    """Build the sum of amounts claimed but not credited."""
    return Sum(F("claimed_cents") - F("credited_cents"), filter=condition, default=0)

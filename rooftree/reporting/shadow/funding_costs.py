"""Cost per funded loan by source, from an uploaded list of leads and the sources' prices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Sum

from rooftree.core.confidence_intervals import estimate_share
from rooftree.leads.models import Source
from rooftree.money.company_day import company_zone
from rooftree.money.models import Entry, SourcePrice
from rooftree.reporting.first_screen.cohort_maturity import HORIZON_DAYS
from rooftree.reporting.models import ShadowResult

MIN_FUNDINGS = 5  # house: fewer give no cost per funded loan
LEVEL = 0.9  # of the likely range


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingCost:
    """The cost of one source's listed leads, and of each funded loan among them."""

    name: str
    leads: int
    funded: int
    spend_cents: int | None  # None: a price is missing
    revenue_cents: int

    @property
    def has_enough(self) -> bool:
        return self.funded >= MIN_FUNDINGS

    @property
    def pull_through_pct(self) -> float:
        return 100 * self.funded / self.leads

    @property
    def cost_cents(self) -> int | None:
        """The cost per funded loan; None without a price, or with too few fundings."""
        if self.spend_cents is None or not self.has_enough:
            return None
        return round(self.spend_cents / self.funded)

    @property
    def range_cents(self) -> tuple[int, int] | None:
        """The range in which the cost per funded loan likely is, by chance alone."""
        if self.cost_cents is None or self.spend_cents is None:
            return None
        share = estimate_share(self.funded, self.leads, level=LEVEL)
        per_lead = self.spend_cents / self.leads
        return round(per_lead / share.high), round(per_lead / share.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The costs by source, most fundings first, then the total; and the lines left out."""

    rows: tuple[FundingCost, ...]
    young: int
    undated: int


class LeadPrices:
    """What leads cost: what was booked for the copy, else its source's price of that day."""

    def __init__(self, lead_ids: Iterable[UUID]) -> None:
        self._booked: dict[UUID, int] = {}
        sums = Entry.objects.filter(lead__in=list(lead_ids), kind__in=["cost", "credit"])
        for lead_id, kind, cents in sums.values_list("lead_id", "kind").annotate(
            Sum("amount_cents")
        ):
            sign = 1 if kind == "cost" else -1
            self._booked[lead_id] = self._booked.get(lead_id, 0) + sign * cents
        self._now = dict(Source.objects.values_list("pk", "cost_cents"))
        self._dated: dict[UUID, list[tuple[date, int]]] = {}
        prices = SourcePrice.objects.order_by("from_date", "pk")
        for source_id, from_date, cents in prices.values_list("source_id", "from_date", "cents"):
            self._dated.setdefault(source_id, []).append((from_date, cents))
        self._zone = company_zone()

    def price_of(self, lead_id: UUID | None, source_id: UUID, at: datetime) -> int | None:
        """Return the price in cents of a lead of `at`; None if none is on file."""
        if lead_id in self._booked:
            return self._booked[lead_id]
        day = at.astimezone(self._zone).date()
        in_force = [cents for since, cents in self._dated.get(source_id, []) if since <= day]
        return in_force[-1] if in_force else self._now.get(source_id)


def build_costs(results: Sequence[ShadowResult], prices: LeadPrices, *, at: datetime) -> Cohort:
    """Build the costs of the listed leads that had time to fund.

    A line counts with a source and a time of receipt at least `HORIZON_DAYS` ago.
    """
    oldest = at - timedelta(days=HORIZON_DAYS)
    dated = [result for result in results if result.source_id and result.received_at]
    old = [result for result in dated if result.received_at and result.received_at <= oldest]
    rows = []
    for source in Source.objects.filter(pk__in={result.source_id for result in old}):
        listed = [result for result in old if result.source_id == source.pk]
        rows.append(_build_row(source.name, listed, prices))
    rows.sort(key=lambda row: (-row.funded, row.name))
    total = [_build_row("Total", old, prices)] if len(rows) > 1 else []
    return Cohort(
        rows=(*rows, *total), young=len(dated) - len(old), undated=len(results) - len(dated)
    )


def _build_row(name: str, listed: Sequence[ShadowResult], prices: LeadPrices) -> FundingCost:
    cents = [
        prices.price_of(result.lead_id, result.source_id, result.received_at)
        for result in listed
        if result.source_id and result.received_at
    ]
    return FundingCost(
        name=name,
        leads=len(listed),
        funded=sum(result.funded_date is not None for result in listed),
        spend_cents=None if None in cents else sum(price or 0 for price in cents),
        revenue_cents=sum(result.revenue_cents or 0 for result in listed),
    )

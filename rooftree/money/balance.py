"""Sums of the booked entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet, Sum

from rooftree.money.models import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Sums of entries by kind, in cents."""

    cost_cents: int = 0
    credit_cents: int = 0
    revenue_cents: int = 0
    reversal_cents: int = 0

    @property
    def spend_cents(self) -> int:
        """Costs minus vendor credits."""
        return self.cost_cents - self.credit_cents

    @property
    def earned_cents(self) -> int:
        """Loan revenue minus reversals."""
        return self.revenue_cents - self.reversal_cents


def sum_entries(entries: QuerySet[Entry]) -> Balance:
    """Sum entries by kind."""
    return _build_balance(entries.order_by().values_list("kind").annotate(Sum("amount_cents")))


def balances_by_source(*, from_date: date, until_date: date) -> dict[UUID, Balance]:
    """Sum the entries booked in a span of days (end exclusive), by source id."""
    return sums_by_source(Entry.objects.filter(on_date__gte=from_date, on_date__lt=until_date))


def sums_by_source(entries: QuerySet[Entry]) -> dict[UUID, Balance]:
    """Sum entries by source id."""
    rows = entries.order_by().values_list("source_id", "kind").annotate(Sum("amount_cents"))
    sums: dict[UUID, list[tuple[str, int]]] = {}
    for source_id, kind, amount_cents in rows:
        sums.setdefault(source_id, []).append((kind, amount_cents))
    return {source_id: _build_balance(kinds) for source_id, kinds in sums.items()}


def _build_balance(sums: Iterable[tuple[str, int]]) -> Balance:
    return Balance(**{f"{kind}_cents": amount_cents for kind, amount_cents in sums})

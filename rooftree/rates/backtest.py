"""Backtest of a rate-alert rule: past rates against a lender's own loans. Pure.

Alert products have settings but don't show which alerts they would have sent. Here
each week of a rate series is tested against each loan. An alert is false hope if its
refinance would not have paid back its costs in time. A refinance that would have, but
brought no alert, is a miss.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from rooftree.rates.loan_payments import balance_cents, monthly_savings_cents

LOOKBACK = timedelta(
    days=90
)  # a refinance elsewhere is a miss without an alert in this time before it


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """When to alert a borrower. Every given criterion must hold; at least one is given."""

    min_drop_pct: Decimal | None = None  # from the loan's rate to the offer
    min_savings_cents: int | None = None  # a month, of principal and interest
    target_pct: Decimal | None = None  # the offer is at or below this rate
    max_break_even_months: int | None = None
    margin_pct: Decimal = Decimal(0)  # added to the series to get the offer
    gap_months: int = 6  # minimum time between two alerts to a borrower
    min_age_months: int = 6  # of the loan
    min_balance_cents: int = 0
    closing_cost_cents: int = 0
    closing_cost_pct: Decimal = Decimal(2)  # of the balance, on top of the fixed cost
    worth_within_months: int = 36  # break-even limit for false hopes and misses
    products: Mapping[str, str] = field(default_factory=dict)  # the loan's product: the rate series


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioLoan:
    """One loan of the portfolio; None is a value that was missing or unreadable."""

    id: str
    product: str
    rate_pct: Decimal | None
    amount_cents: int | None  # at the start
    term_months: int | None
    started_on: date | None
    ended_on: date | None = None
    refinanced_on: date | None = None  # with another lender
    officer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestAlert:
    """One alert that the rule would have sent."""

    loan_id: str
    officer: str
    on: date
    offer_pct: Decimal
    savings_cents: int
    break_even_months: int | None  # None: never
    is_false_hope: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedRefinance:
    """A period in which a refinance was worth it but no alert was sent."""

    loan_id: str
    from_date: date
    until_date: date
    savings_cents: int  # a month, at best
    is_elsewhere: bool = False  # the borrower refinanced with another lender


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The result of testing one rule."""

    from_date: date
    until_date: date
    months: int
    alerts: tuple[BacktestAlert, ...]
    misses: tuple[MissedRefinance, ...]
    opportunities: int  # periods in which a refinance was worth it
    loans: int
    unwatched_loans: Mapping[str, str]  # loan: why the rule can't watch it

    @property
    def false_hopes(self) -> tuple[BacktestAlert, ...]:
        return tuple(alert for alert in self.alerts if alert.is_false_hope)

    def alerts_by_month(self) -> Counter[str]:
        """Count the alerts of each month that had any."""
        return Counter(f"{alert.on:%Y-%m}" for alert in self.alerts)

    def max_officer_alerts_a_month(self) -> int:
        """Return the most alerts that one officer would have had in a month."""
        counts = Counter((alert.officer, f"{alert.on:%Y-%m}") for alert in self.alerts)
        return max(counts.values(), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoanWeek:
    on: date
    offer_pct: Decimal
    balance_cents: int
    savings_cents: int
    break_even_months: int | None


def run_backtest(
    rule: AlertRule,
    rates: Mapping[str, Sequence[tuple[date, Decimal]]],
    loans: Sequence[PortfolioLoan],
) -> Backtest:
    """Test every week of `rates` (by product, oldest first) against every loan."""
    alerts: list[BacktestAlert] = []
    misses: list[MissedRefinance] = []
    unwatched: dict[str, str] = {}
    opportunities = 0
    for loan in loans:
        series = rates.get(rule.products.get(loan.product, loan.product))
        if reason := _unwatchable_reason(loan, series):
            unwatched[loan.id] = reason
            continue
        weeks = list(_iter_weeks(rule, series or (), loan))
        loan_alerts = list(_find_alerts(rule, weeks, loan))
        spells = list(_find_spells(rule, weeks))
        alerts += loan_alerts
        opportunities += len(spells)
        misses += _find_misses(loan, spells, loan_alerts)
    days = [day for series in rates.values() for day, _ in series]
    return Backtest(
        from_date=min(days),
        until_date=max(days),
        months=len({(day.year, day.month) for day in days}),
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.on, alert.loan_id))),
        misses=tuple(sorted(misses, key=lambda miss: (miss.from_date, miss.loan_id))),
        opportunities=opportunities,
        loans=len(loans),
        unwatched_loans=unwatched,
    )


def _unwatchable_reason(loan: PortfolioLoan, series: Sequence[object] | None) -> str:
    if not loan.product:
        return "it has no product"
    if not series:
        return f"there are no rates of {loan.product}"
    required = {
        "rate": loan.rate_pct,
        "amount": loan.amount_cents,
        "term": loan.term_months,
        "start": loan.started_on,
    }
    missing = [name for name, value in required.items() if not value]
    return f"its {' and '.join(missing)} can't be read" if missing else ""


def _iter_weeks(
    rule: AlertRule, series: Sequence[tuple[date, Decimal]], loan: PortfolioLoan
) -> Iterator[_LoanWeek]:
    """Yield the weeks of the loan's life, with the value of each week's offer."""
    if not (loan.rate_pct and loan.amount_cents and loan.term_months and loan.started_on):
        return
    end_date = min(filter(None, (loan.ended_on, loan.refinanced_on)), default=date.max)
    first = bisect_left(series, loan.started_on, key=lambda week: week[0])
    for on, rate in series[first:]:
        age = _whole_months(loan.started_on, on)
        if on >= end_date or age >= loan.term_months:
            return
        if age < rule.min_age_months:
            continue
        balance = balance_cents(loan.amount_cents, loan.rate_pct, loan.term_months, age)
        offer = rate + rule.margin_pct
        savings = monthly_savings_cents(
            amount_cents=balance,
            from_pct=loan.rate_pct,
            to_pct=offer,
            term_months=loan.term_months - age,
        )
        yield _LoanWeek(
            on=on,
            offer_pct=offer,
            balance_cents=balance,
            savings_cents=savings,
            break_even_months=_break_even_months(rule, balance, savings),
        )


def _break_even_months(rule: AlertRule, balance: int, savings: int) -> int | None:
    """Return whole months until the savings cover the costs; None if they never do."""
    if savings <= 0:
        return None
    cost = rule.closing_cost_cents + balance * rule.closing_cost_pct / 100
    return int((cost / savings).to_integral_value(ROUND_CEILING))


def _find_alerts(
    rule: AlertRule, weeks: Iterable[_LoanWeek], loan: PortfolioLoan
) -> Iterator[BacktestAlert]:
    last_alert_on: date | None = None
    for week in weeks:
        if last_alert_on and _whole_months(last_alert_on, week.on) < rule.gap_months:
            continue
        if _is_met(rule, week, loan.rate_pct or Decimal(0)):
            last_alert_on = week.on
            yield BacktestAlert(
                loan_id=loan.id,
                officer=loan.officer,
                on=week.on,
                offer_pct=week.offer_pct,
                savings_cents=week.savings_cents,
                break_even_months=week.break_even_months,
                is_false_hope=not _is_worth_it(rule, week),
            )


def _is_met(rule: AlertRule, week: _LoanWeek, rate_pct: Decimal) -> bool:
    """Return True if the week meets every criterion of the rule."""
    break_even = week.break_even_months
    return (
        week.balance_cents >= rule.min_balance_cents
        and (rule.min_drop_pct is None or rate_pct - week.offer_pct >= rule.min_drop_pct)
        and (rule.min_savings_cents is None or week.savings_cents >= rule.min_savings_cents)
        and (rule.target_pct is None or week.offer_pct <= rule.target_pct)
        and (
            rule.max_break_even_months is None
            or (break_even is not None and break_even <= rule.max_break_even_months)
        )
    )


def _is_worth_it(rule: AlertRule, week: _LoanWeek) -> bool:
    break_even = week.break_even_months
    return break_even is not None and break_even <= rule.worth_within_months


def _find_spells(rule: AlertRule, weeks: Iterable[_LoanWeek]) -> Iterator[list[_LoanWeek]]:
    """Yield runs of consecutive weeks in which a refinance was worth it."""
    spell: list[_LoanWeek] = []
    for week in weeks:
        if _is_worth_it(rule, week):
            spell.append(week)
        elif spell:
            yield spell
            spell = []
    if spell:
        yield spell


def _find_misses(
    loan: PortfolioLoan, spells: Iterable[Sequence[_LoanWeek]], alerts: Sequence[BacktestAlert]
) -> Iterator[MissedRefinance]:
    """Yield spells without an alert, and a refinance elsewhere without one before it."""
    for spell in spells:
        first, last = spell[0].on, spell[-1].on
        if not any(first - LOOKBACK <= alert.on <= last for alert in alerts):
            best = max(week.savings_cents for week in spell)
            yield MissedRefinance(
                loan_id=loan.id, from_date=first, until_date=last, savings_cents=best
            )
    refinanced_on = loan.refinanced_on
    if refinanced_on and not any(
        refinanced_on - LOOKBACK <= alert.on < refinanced_on for alert in alerts
    ):
        yield MissedRefinance(
            loan_id=loan.id,
            from_date=refinanced_on,
            until_date=refinanced_on,
            savings_cents=0,
            is_elsewhere=True,
        )


def _whole_months(start: date, end: date) -> int:
    """Return whole months from one day to another."""
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)

"""What a rate-alert rule would have done: past rates against a lender's own loans. Pure.

The trade sells alerts with knobs and no way to see what they would have sent.
Here each week of a series is put before each loan. An alert is false hope when
its refinance would not have paid its costs back in time; a refinance that would
have, and of which the rule said nothing, is missed.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from rooftree.rates.loan_payments import balance_cents, monthly_savings_cents

LOOKBACK = timedelta(days=90)  # a refinance elsewhere was missed without an alert in this time


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """When to tell a borrower. Every criterion that is given must hold; at least one is."""

    min_drop_pct: Decimal | None = None  # between the loan's rate and the one on offer
    min_savings_cents: int | None = None  # a month, of principal and interest
    target_pct: Decimal | None = None  # the offer is at this or below
    max_break_even_months: int | None = None
    margin_pct: Decimal = Decimal(0)  # the offer above the series
    gap_months: int = 6  # a borrower is told once in so long
    min_age_months: int = 6  # of the loan
    min_balance_cents: int = 0
    closing_cost_cents: int = 0
    closing_cost_pct: Decimal = Decimal(2)  # of the balance, beside the fixed cost
    worth_within_months: int = 36  # what false hope and a miss are judged by
    products: Mapping[str, str] = field(default_factory=dict)  # a loan's product: a series


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioLoan:
    """One loan of the portfolio; what is None was not told, or could not be read."""

    id: str
    product: str
    rate_pct: Decimal | None
    amount_cents: int | None  # at the start
    term_months: int | None
    started_on: date | None
    ended_on: date | None = None
    refinanced_on: date | None = None  # elsewhere
    officer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestAlert:
    """One alert that would have gone out."""

    loan_id: str
    officer: str
    on: date
    offer_pct: Decimal
    savings_cents: int
    break_even_months: int | None  # None: never
    is_false_hope: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedRefinance:
    """A time in which a refinance was worth it, and no alert fell."""

    loan_id: str
    from_date: date
    until_date: date
    savings_cents: int  # a month, at best
    is_elsewhere: bool = False  # they refinanced, with somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What the rule would have done."""

    from_date: date
    until_date: date
    months: int
    alerts: tuple[BacktestAlert, ...]
    misses: tuple[MissedRefinance, ...]
    opportunities: int  # times in which a refinance was worth it
    loans: int
    unwatched_loans: Mapping[str, str]  # loan: why the rule cannot see it

    @property
    def false_hopes(self) -> tuple[BacktestAlert, ...]:
        return tuple(alert for alert in self.alerts if alert.is_false_hope)

    def alerts_by_month(self) -> Counter[str]:
        """How many alerts fell in each month that had any."""
        return Counter(f"{alert.on:%Y-%m}" for alert in self.alerts)

    def max_officer_alerts_a_month(self) -> int:
        """The most alerts that one officer would have had in one month."""
        counted = Counter((alert.officer, f"{alert.on:%Y-%m}") for alert in self.alerts)
        return max(counted.values(), default=0)


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
    """Put every week of `rates` (by product, oldest first) before every loan."""
    alerts: list[BacktestAlert] = []
    misses: list[MissedRefinance] = []
    unwatched: dict[str, str] = {}
    chances = 0
    for loan in loans:
        series = rates.get(rule.products.get(loan.product, loan.product))
        if why := _unwatchable_reason(loan, series):
            unwatched[loan.id] = why
            continue
        weeks = list(_iter_weeks(rule, series or (), loan))
        told = list(_find_alerts(rule, weeks, loan))
        spells = list(_find_spells(rule, weeks))
        alerts += told
        chances += len(spells)
        misses += _find_misses(loan, spells, told)
    days = [day for series in rates.values() for day, _ in series]
    return Backtest(
        from_date=min(days),
        until_date=max(days),
        months=len({(day.year, day.month) for day in days}),
        alerts=tuple(sorted(alerts, key=lambda one: (one.on, one.loan_id))),
        misses=tuple(sorted(misses, key=lambda one: (one.from_date, one.loan_id))),
        opportunities=chances,
        loans=len(loans),
        unwatched_loans=unwatched,
    )


def _unwatchable_reason(loan: PortfolioLoan, series: Sequence[object] | None) -> str:
    if not loan.product:
        return "it has no product"
    if not series:
        return f"there are no rates of {loan.product}"
    held = {
        "rate": loan.rate_pct,
        "amount": loan.amount_cents,
        "term": loan.term_months,
        "start": loan.started_on,
    }
    lacking = [name for name, value in held.items() if not value]
    return f"its {' and '.join(lacking)} cannot be read" if lacking else ""


def _iter_weeks(
    rule: AlertRule, series: Sequence[tuple[date, Decimal]], loan: PortfolioLoan
) -> Iterator[_LoanWeek]:
    """The weeks in which the loan lives, and what each one's offer would be worth."""
    if not (loan.rate_pct and loan.amount_cents and loan.term_months and loan.started_on):
        return
    ends = min(filter(None, (loan.ended_on, loan.refinanced_on)), default=date.max)
    first = bisect_left(series, loan.started_on, key=lambda week: week[0])
    for on, rate in series[first:]:
        age = _whole_months(loan.started_on, on)
        if on >= ends or age >= loan.term_months:
            return
        if age < rule.min_age_months:
            continue
        owed = balance_cents(loan.amount_cents, loan.rate_pct, loan.term_months, age)
        offer = rate + rule.margin_pct
        saved = monthly_savings_cents(
            amount_cents=owed,
            from_pct=loan.rate_pct,
            to_pct=offer,
            term_months=loan.term_months - age,
        )
        yield _LoanWeek(
            on=on,
            offer_pct=offer,
            balance_cents=owed,
            savings_cents=saved,
            break_even_months=_break_even_months(rule, owed, saved),
        )


def _break_even_months(rule: AlertRule, owed: int, saved: int) -> int | None:
    """Whole months until the savings have paid the costs; None when they never do."""
    if saved <= 0:
        return None
    cost = rule.closing_cost_cents + owed * rule.closing_cost_pct / 100
    return int((cost / saved).to_integral_value(ROUND_CEILING))


def _find_alerts(
    rule: AlertRule, weeks: Iterable[_LoanWeek], loan: PortfolioLoan
) -> Iterator[BacktestAlert]:
    last: date | None = None
    for week in weeks:
        if last and _whole_months(last, week.on) < rule.gap_months:
            continue
        if _is_met(rule, week, loan.rate_pct or Decimal(0)):
            last = week.on
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
    """Whether every criterion that the rule gives is met."""
    pays_back = week.break_even_months
    return (
        week.balance_cents >= rule.min_balance_cents
        and (rule.min_drop_pct is None or rate_pct - week.offer_pct >= rule.min_drop_pct)
        and (rule.min_savings_cents is None or week.savings_cents >= rule.min_savings_cents)
        and (rule.target_pct is None or week.offer_pct <= rule.target_pct)
        and (
            rule.max_break_even_months is None
            or (pays_back is not None and pays_back <= rule.max_break_even_months)
        )
    )


def _is_worth_it(rule: AlertRule, week: _LoanWeek) -> bool:
    pays_back = week.break_even_months
    return pays_back is not None and pays_back <= rule.worth_within_months


def _find_spells(rule: AlertRule, weeks: Iterable[_LoanWeek]) -> Iterator[list[_LoanWeek]]:
    """Neighboring weeks in which a refinance was worth it."""
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
    loan: PortfolioLoan, spells: Iterable[Sequence[_LoanWeek]], told: Sequence[BacktestAlert]
) -> Iterator[MissedRefinance]:
    """Spells without an alert that still stood, and a refinance elsewhere without one before."""
    for spell in spells:
        first, last = spell[0].on, spell[-1].on
        if not any(first - LOOKBACK <= backtest_alert.on <= last for backtest_alert in told):
            best = max(week.savings_cents for week in spell)
            yield MissedRefinance(
                loan_id=loan.id, from_date=first, until_date=last, savings_cents=best
            )
    left = loan.refinanced_on
    if left and not any(left - LOOKBACK <= backtest_alert.on < left for backtest_alert in told):
        yield MissedRefinance(
            loan_id=loan.id, from_date=left, until_date=left, savings_cents=0, is_elsewhere=True
        )


def _whole_months(start: date, end: date) -> int:
    """Whole months from one day to another."""
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)

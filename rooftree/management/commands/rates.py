"""`rooftree rates backtest`: what an alert rule would have done with past rates; pure."""

import json
from typing import Any

from django.core.management.base import CommandParser

from rooftree.management import command_base
from rooftree.rates.backtest import AlertRule, Backtest, run_backtest
from rooftree.rates.backtest_files import InvalidBacktestFile, parse_loans, parse_rates, parse_rule


class Command(command_base.Command):
    """Try an alert rule on weekly rates and a lender's own loans."""

    help = "Say what a rate-alert rule would have done: alerts, false hopes, misses, coverage."
    example = "rooftree rates backtest rule.json rates.csv loans.csv"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb so far."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        tried = verbs.add_parser("backtest", help="try a rule on what was")
        tried.add_argument("rule", help="JSON: min_drop_pct, min_savings_cents, gap_months, ...")
        tried.add_argument("rates", help="CSV: a day, and a rate for each product")
        tried.add_argument("loans", help="CSV: id, product, rate_pct, amount, term_months, ...")
        tried.add_argument("--json", action="store_true", help="the result as one JSON object")
        tried.error = lambda message: parser.error(message)  # type: ignore[method-assign]

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what the rule would have done."""
        try:
            rule = parse_rule(command_base.read_json(options["rule"]))
            rates = parse_rates(command_base.read_text(options["rates"]))
            loans = parse_loans(command_base.read_text(options["loans"]))
        except InvalidBacktestFile as problem:
            raise command_base.UsageError(str(problem)) from problem
        result = run_backtest(rule, rates, loans)
        if options["json"]:
            self.stdout.write(json.dumps(result_as_json(result), indent=1))
        else:
            self.stdout.write("\n".join(result_as_table(result, rule)))


def result_as_json(result: Backtest) -> dict[str, Any]:
    """All of it; rates as text, money in cents."""
    watched = result.loans - len(result.unwatched_loans)
    return {
        "from": result.from_date.isoformat(),
        "until": result.until_date.isoformat(),
        "months": result.months,
        "alerts": len(result.alerts),
        "alerts_per_month": _round_share(len(result.alerts), result.months),
        "alerts_by_month": dict(sorted(result.alerts_by_month().items())),
        "most_for_one_officer_in_a_month": result.max_officer_alerts_a_month(),
        "false_hopes": len(result.false_hopes),
        "false_hope_rate": _round_share(len(result.false_hopes), len(result.alerts)),
        "chances": result.opportunities,
        "misses": [
            {
                "loan": miss.loan_id,
                "from": miss.from_date.isoformat(),
                "until": miss.until_date.isoformat(),
                "savings_cents": miss.savings_cents,
                "refinanced_elsewhere": miss.is_elsewhere,
            }
            for miss in result.misses
        ],
        "coverage": {
            "loans": result.loans,
            "watched": watched,
            "share": _round_share(watched, result.loans),
            "unwatched": dict(result.unwatched_loans),
        },
        "sent": [
            {
                "loan": alert.loan_id,
                "on": alert.on.isoformat(),
                "offer_pct": str(alert.offer_pct),
                "savings_cents": alert.savings_cents,
                "break_even_months": alert.break_even_months,
                "false_hope": alert.is_false_hope,
            }
            for alert in result.alerts
        ],
    }


def result_as_table(result: Backtest, rule: AlertRule) -> list[str]:
    """The same for people, with what it was judged by."""
    told = result_as_json(result)
    busiest = max(result.alerts_by_month().items(), key=lambda one: one[1], default=("none", 0))
    lines = [
        f"weeks             {told['from']} to {told['until']}, {result.months} months",
        f"coverage          {told['coverage']['watched']} of {result.loans} loans",
        f"alerts            {told['alerts']}, {told['alerts_per_month']} a month; "
        f"most in {busiest[0]}: {busiest[1]}",
        f"false hopes       {told['false_hopes']} of {told['alerts']} alerts",
        f"misses            {len(result.misses)}, "
        f"of {result.opportunities} times worth a refinance",
        f"one officer       at most {told['most_for_one_officer_in_a_month']} alerts in a month",
        f"judged by         {rule.closing_cost_pct}% of the balance and "
        f"${rule.closing_cost_cents / 100:,.2f} paid back within {rule.worth_within_months} months",
    ]
    lines += [
        f"missed            {miss.loan_id}: "
        + (
            f"refinanced elsewhere on {miss.from_date}, without an alert before"
            if miss.is_elsewhere
            else f"{miss.from_date} to {miss.until_date}, ${miss.savings_cents / 100:,.2f} a month"
        )
        for miss in result.misses
    ]
    return lines + [
        f"not watched       {name}: {why}" for name, why in result.unwatched_loans.items()
    ]


def _round_share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0

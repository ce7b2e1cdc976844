"""Try a rate-alert rule on past rates; needs no database."""

import json
from typing import Any

from django.core.management.base import CommandParser

from rooftree.management import command_base
from rooftree.rates.backtest import AlertRule, Backtest, run_backtest
from rooftree.rates.backtest_files import InvalidBacktestFile, parse_loans, parse_rates, parse_rule


class Command(command_base.Command):
    """Tries an alert rule on weekly rates and a lender's own loans."""

    help = "Show what a rate-alert rule would have done: alerts, false hopes, misses, coverage."
    example = "rooftree rates backtest rule.json rates.csv loans.csv"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the `backtest` verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        backtest = verbs.add_parser("backtest", help="try a rule on past rates")
        backtest.add_argument("rule", help="JSON: min_drop_pct, min_savings_cents, gap_months, ...")
        backtest.add_argument("rates", help="CSV: a day, and a rate for each product")
        backtest.add_argument("loans", help="CSV: id, product, rate_pct, amount, term_months, ...")
        backtest.add_argument("--json", action="store_true", help="print one JSON object")
        backtest.error = lambda message: parser.error(message)  # type: ignore[method-assign]

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
    """Return the whole result; rates are text, money is in cents."""
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
    """Return the result as lines of text, with the costs it was judged by."""
    report = result_as_json(result)
    busiest = max(result.alerts_by_month().items(), key=lambda item: item[1], default=("none", 0))
    lines = [
        f"weeks             {report['from']} to {report['until']}, {result.months} months",
        f"coverage          {report['coverage']['watched']} of {result.loans} loans",
        f"alerts            {report['alerts']}, {report['alerts_per_month']} a month; "
        f"most in {busiest[0]}: {busiest[1]}",
        f"false hopes       {report['false_hopes']} of {report['alerts']} alerts",
        f"misses            {len(result.misses)}, "
        f"of {result.opportunities} times worth a refinance",
        f"one officer       at most {report['most_for_one_officer_in_a_month']} alerts in a month",
        f"judged by         {rule.closing_cost_pct}% of the balance and "
        f"${rule.closing_cost_cents / 100:,.2f} paid back within {rule.worth_within_months} months",
    ]
    lines += [
        f"missed            {miss.loan_id}: "
        + (
            f"refinanced elsewhere on {miss.from_date} with no alert before"
            if miss.is_elsewhere
            else f"{miss.from_date} to {miss.until_date}, ${miss.savings_cents / 100:,.2f} a month"
        )
        for miss in result.misses
    ]
    return lines + [
        f"not watched       {name}: {reason}" for name, reason in result.unwatched_loans.items()
    ]


def _round_share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0

"""Backtest of a rate-alert rule before it is enabled."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from rooftree.management.commands.rates import Command
from rooftree.rates import backtest
from rooftree.rates.backtest import AlertRule, PortfolioLoan
from rooftree.rates.backtest_files import InvalidBacktestFile, parse_loans, parse_rates, parse_rule
from rooftree.rates.loan_payments import balance_cents, monthly_payment_cents

START = date(2020, 1, 2)


def weeks(*rates, product="30yr_fixed"):
    return {
        product: [(START + n * timedelta(weeks=1), Decimal(rate)) for n, rate in enumerate(rates)]
    }


def loan(**changes):
    return PortfolioLoan(
        **{
            "id": "1",
            "product": "30yr_fixed",
            "rate_pct": Decimal(7),
            "amount_cents": 400_000_00,
            "term_months": 360,
            "started_on": date(2019, 1, 1),
            **changes,
        }
    )


def test_loan_gets_one_alert_per_gap():
    rule = AlertRule(min_drop_pct=Decimal(1), gap_months=1)

    result = backtest.run_backtest(rule, weeks(*["6"] * 10), [loan()])

    assert [alert.on.isoformat() for alert in result.alerts] == ["2020-01-02", "2020-02-06"]
    assert result.alerts_by_month() == {"2020-01": 1, "2020-02": 1}


@pytest.mark.parametrize(("offer", "count"), [("6.25", 1), ("6.251", 0)])
def test_rate_drop_alerts_from_exactly_the_minimum(offer, count):
    rule = AlertRule(min_drop_pct=Decimal("0.75"))

    assert len(backtest.run_backtest(rule, weeks(offer), [loan()]).alerts) == count


def test_alert_that_breaks_even_too_late_is_false_hope():
    balance = balance_cents(400_000_00, Decimal(7), 360, 12)
    savings = monthly_payment_cents(balance, Decimal(7), 348) - monthly_payment_cents(
        balance, Decimal("6.75"), 348
    )
    months = -(-balance * 2 // 100 // savings)  # 2 % of the balance, rounded up
    rule = {"min_drop_pct": Decimal("0.25")}

    in_time = backtest.run_backtest(
        AlertRule(**rule, worth_within_months=months), weeks("6.75"), [loan()]
    )
    late = backtest.run_backtest(
        AlertRule(**rule, worth_within_months=months - 1), weeks("6.75"), [loan()]
    )

    assert in_time.alerts[0].break_even_months == months > 36
    assert (len(in_time.false_hopes), len(late.false_hopes)) == (0, 1)


def test_worthwhile_refinance_without_alert_is_a_miss():
    strict = AlertRule(min_drop_pct=Decimal(3))
    rates = weeks("7", "5", "5", "7", "5", "7")

    result = backtest.run_backtest(strict, rates, [loan()])

    spells = [(miss.from_date, miss.until_date) for miss in result.misses]
    second, third, fifth = (START + n * timedelta(weeks=1) for n in (1, 2, 4))
    assert (result.alerts, result.opportunities) == ((), 2)
    assert spells == [(second, third), (fifth, fifth)]
    assert backtest.run_backtest(AlertRule(min_drop_pct=Decimal(1)), rates, [loan()]).misses == ()


def test_refinance_elsewhere_without_alert_is_a_miss():
    refinanced_loan = loan(refinanced_on=START + timedelta(days=5))

    result = backtest.run_backtest(
        AlertRule(min_drop_pct=Decimal(5)), weeks("7", "7"), [refinanced_loan]
    )

    assert [(miss.loan_id, miss.is_elsewhere) for miss in result.misses] == [("1", True)]


def test_unwatched_loans_are_listed_with_reasons():
    loans = [
        loan(id="good"),
        loan(id="typed", product="convetional"),
        loan(id="bare", product=""),
        loan(id="blank", rate_pct=None, started_on=None),
    ]

    result = backtest.run_backtest(AlertRule(min_drop_pct=Decimal(1)), weeks("6"), loans)

    assert result.unwatched_loans == {
        "typed": "there are no rates of convetional",
        "bare": "it has no product",
        "blank": "its rate and start can't be read",
    }
    assert [alert.loan_id for alert in result.alerts] == ["good"]


def test_young_and_paid_off_loans_get_no_alert():
    rule = AlertRule(min_drop_pct=Decimal(1), min_age_months=6)
    young, paid_off = loan(started_on=date(2019, 7, 3)), loan(ended_on=START)

    assert backtest.run_backtest(rule, weeks("6"), [young, paid_off]).alerts == ()
    assert (
        len(backtest.run_backtest(rule, weeks("6"), [loan(started_on=date(2019, 7, 2))]).alerts)
        == 1
    )


def test_balance_matches_the_payments_and_ends_at_zero():
    monthly, balance = Decimal(6) / 1200, Decimal(400_000_00)
    payment = monthly_payment_cents(400_000_00, Decimal(6), 360)
    for _ in range(12):
        balance = balance * (1 + monthly) - payment

    assert abs(balance_cents(400_000_00, Decimal(6), 360, 12) - balance) < 20
    assert balance_cents(400_000_00, Decimal(6), 360, 360) == 0
    assert balance_cents(120_00, Decimal(0), 12, 3) == 90_00


def test_public_series_and_own_table_are_both_parsed():
    public_series = "DATE,MORTGAGE30US,MORTGAGE15US\n2020-01-02,3.72,3.16\n2020-01-09,.,3.07\n"
    own_table = "week,product,rate\n01/02/2020,30-year fixed,3.72%\n"

    assert parse_rates(public_series) == {
        "30yr_fixed": [(START, Decimal("3.72"))],
        "15yr_fixed": [(START, Decimal("3.16")), (date(2020, 1, 9), Decimal("3.07"))],
    }
    assert parse_rates(own_table) == {"30yr_fixed": [(START, Decimal("3.72"))]}


def test_portfolio_is_parsed_as_lenders_export_it():
    (loan_row,) = parse_loans(
        'Loan_Number,Product,Note_Rate,Loan_Amount,Term,Funded_Date\n'
        'A-1,30-Year Fixed,6.875%,"$400,000.00",360,1/15/2024\n'
    )  # fmt: skip

    assert (loan_row.id, loan_row.product, loan_row.rate_pct) == (
        "A-1",
        "30yr_fixed",
        Decimal("6.875"),
    )
    assert (loan_row.amount_cents, loan_row.started_on) == (400_000_00, date(2024, 1, 15))
    (implausible,) = parse_loans("id,product,rate,amount,term\n1,30yr_fixed,687.5,-4,1000000000\n")
    assert (implausible.rate_pct, implausible.amount_cents, implausible.term_months) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "one JSON object"),
        ({}, "needs at least one of"),
        ({"gap_months": 3}, "needs at least one of"),
        ({"min_drop": 1}, "no min_drop"),
        ({"min_drop_pct": "much"}, "must be a number"),
        ({"min_drop_pct": 1, "margin_pct": "1e400000"}, "must be a number"),
        ({"min_drop_pct": 1, "gap_months": 1.5}, "whole number"),
        ({"min_drop_pct": 1, "products": []}, "rate series"),
    ],
)
def test_invalid_rule_is_refused_with_reason(data, message):
    with pytest.raises(InvalidBacktestFile, match=message):
        parse_rule(data)


@pytest.fixture
def run_command(tmp_path, capsys):
    def run(rule, rates, loans, *more):
        files = []
        for name, text in (("rule.json", json.dumps(rule)), ("r.csv", rates), ("l.csv", loans)):
            (tmp_path / name).write_text(text)
            files.append(str(tmp_path / name))
        code = 0
        try:
            Command().run_from_argv(["rooftree", "rates", "backtest", *files, *more])
        except SystemExit as exit:
            code = int(exit.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


RATES = "date,30yr_fixed\n2020-01-02,6\n2020-01-09,6\n2020-02-06,7\n"
LOANS = (
    "id,product,rate_pct,amount,term_months,started_on,officer\n"
    "1,30yr_fixed,7,400000,360,2019-01-01,dana\n2,Jumbo,7,900000,360,2019-01-01,dana\n"
)


def test_command_prints_alerts_false_hopes_misses_and_coverage(run_command):
    code, out, err = run_command({"min_drop_pct": 1}, RATES, LOANS)

    assert (code, err) == (0, "")
    assert "alerts            1, 0.5 a month; most in 2020-01: 1" in out
    assert "coverage          1 of 2 loans" in out
    assert "not watched       2: there are no rates of jumbo" in out

    code, out, _ = run_command({"min_drop_pct": 1}, RATES, LOANS, "--json")
    report = json.loads(out)
    assert (report["alerts"], report["false_hopes"], report["chances"]) == (1, 0, 1)
    assert report["coverage"]["share"] == 0.5


@pytest.mark.parametrize(
    ("rates", "loans"),
    [
        ("date,x\nsomeday,1\n", LOANS),
        ("date,x\n2020-01-02,1e400000\n", LOANS),
        ("", LOANS),
        (RATES, "one\n2\n"),
    ],
)
def test_unreadable_table_is_reported_in_one_sentence(run_command, rates, loans):
    code, out, err = run_command({"min_drop_pct": 1}, rates, loans)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1

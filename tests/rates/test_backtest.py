"""What an alert rule would have done, told before it is switched on."""

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


def test_a_loan_is_told_once_in_so_long():
    rule = AlertRule(min_drop_pct=Decimal(1), gap_months=1)

    told = backtest.run_backtest(rule, weeks(*["6"] * 10), [loan()])

    assert [alert.on.isoformat() for alert in told.alerts] == ["2020-01-02", "2020-02-06"]
    assert told.alerts_by_month() == {"2020-01": 1, "2020-02": 1}


@pytest.mark.parametrize(("offer", "count"), [("6.25", 1), ("6.251", 0)])
def test_a_drop_counts_from_exactly_its_size_on(offer, count):
    rule = AlertRule(min_drop_pct=Decimal("0.75"))

    assert len(backtest.run_backtest(rule, weeks(offer), [loan()]).alerts) == count


def test_an_alert_that_does_not_pay_back_in_time_is_false_hope():
    owed = balance_cents(400_000_00, Decimal(7), 360, 12)
    saved = monthly_payment_cents(owed, Decimal(7), 348) - monthly_payment_cents(
        owed, Decimal("6.75"), 348
    )
    months = -(-owed * 2 // 100 // saved)  # 2 % of the balance, rounded up
    rule = {"min_drop_pct": Decimal("0.25")}

    just = backtest.run_backtest(
        AlertRule(**rule, worth_within_months=months), weeks("6.75"), [loan()]
    )
    late = backtest.run_backtest(
        AlertRule(**rule, worth_within_months=months - 1), weeks("6.75"), [loan()]
    )

    assert just.alerts[0].break_even_months == months > 36
    assert (len(just.false_hopes), len(late.false_hopes)) == (0, 1)


def test_a_refinance_worth_its_costs_without_an_alert_is_a_miss():
    strict = AlertRule(min_drop_pct=Decimal(3))
    rates = weeks("7", "5", "5", "7", "5", "7")

    told = backtest.run_backtest(strict, rates, [loan()])

    spells = [(miss.from_date, miss.until_date) for miss in told.misses]
    second, third, fifth = (START + n * timedelta(weeks=1) for n in (1, 2, 4))
    assert (told.alerts, told.opportunities) == ((), 2)
    assert spells == [(second, third), (fifth, fifth)]
    assert backtest.run_backtest(AlertRule(min_drop_pct=Decimal(1)), rates, [loan()]).misses == ()


def test_who_refinances_elsewhere_without_an_alert_before_is_a_miss():
    left = loan(refinanced_on=START + timedelta(days=5))

    told = backtest.run_backtest(AlertRule(min_drop_pct=Decimal(5)), weeks("7", "7"), [left])

    assert [(miss.loan_id, miss.is_elsewhere) for miss in told.misses] == [("1", True)]


def test_what_the_rule_cannot_see_is_listed_with_why():
    loans = [
        loan(id="good"),
        loan(id="typed", product="convetional"),
        loan(id="bare", product=""),
        loan(id="blank", rate_pct=None, started_on=None),
    ]

    told = backtest.run_backtest(AlertRule(min_drop_pct=Decimal(1)), weeks("6"), loans)

    assert told.unwatched_loans == {
        "typed": "there are no rates of convetional",
        "bare": "it has no product",
        "blank": "its rate and start cannot be read",
    }
    assert [alert.loan_id for alert in told.alerts] == ["good"]


def test_a_young_loan_and_a_paid_one_are_left_alone():
    rule = AlertRule(min_drop_pct=Decimal(1), min_age_months=6)
    young, ended = loan(started_on=date(2019, 7, 3)), loan(ended_on=START)

    assert backtest.run_backtest(rule, weeks("6"), [young, ended]).alerts == ()
    assert (
        len(backtest.run_backtest(rule, weeks("6"), [loan(started_on=date(2019, 7, 2))]).alerts)
        == 1
    )


def test_a_balance_falls_to_nothing_and_matches_its_payments():
    monthly, owed = Decimal(6) / 1200, Decimal(400_000_00)
    payment = monthly_payment_cents(400_000_00, Decimal(6), 360)
    for _ in range(12):
        owed = owed * (1 + monthly) - payment

    assert abs(balance_cents(400_000_00, Decimal(6), 360, 12) - owed) < 20
    assert balance_cents(400_000_00, Decimal(6), 360, 360) == 0
    assert balance_cents(120_00, Decimal(0), 12, 3) == 90_00


def test_the_public_series_and_an_own_table_read_alike():
    public = "DATE,MORTGAGE30US,MORTGAGE15US\n2020-01-02,3.72,3.16\n2020-01-09,.,3.07\n"
    own = "week,product,rate\n01/02/2020,30-year fixed,3.72%\n"

    assert parse_rates(public) == {
        "30yr_fixed": [(START, Decimal("3.72"))],
        "15yr_fixed": [(START, Decimal("3.16")), (date(2020, 1, 9), Decimal("3.07"))],
    }
    assert parse_rates(own) == {"30yr_fixed": [(START, Decimal("3.72"))]}


def test_a_portfolio_reads_as_lenders_export_it():
    (one,) = parse_loans(
        'Loan_Number,Product,Note_Rate,Loan_Amount,Term,Funded_Date\n'
        'A-1,30-Year Fixed,6.875%,"$400,000.00",360,1/15/2024\n'
    )  # fmt: skip

    assert (one.id, one.product, one.rate_pct) == ("A-1", "30yr_fixed", Decimal("6.875"))
    assert (one.amount_cents, one.started_on) == (400_000_00, date(2024, 1, 15))
    (slip,) = parse_loans("id,product,rate,amount,term\n1,30yr_fixed,687.5,-4,1000000000\n")
    assert (slip.rate_pct, slip.amount_cents, slip.term_months) == (None, None, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "one JSON object"),
        ({}, "needs one of"),
        ({"gap_months": 3}, "needs one of"),
        ({"min_drop": 1}, "no min_drop"),
        ({"min_drop_pct": "much"}, "must be a number"),
        ({"min_drop_pct": 1, "margin_pct": "1e400000"}, "must be a number"),
        ({"min_drop_pct": 1, "gap_months": 1.5}, "whole number"),
        ({"min_drop_pct": 1, "products": []}, "which series"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(data, said):
    with pytest.raises(InvalidBacktestFile, match=said):
        parse_rule(data)


@pytest.fixture
def told(tmp_path, capsys):
    def run(rule, rates, loans, *more):
        files = []
        for name, text in (("rule.json", json.dumps(rule)), ("r.csv", rates), ("l.csv", loans)):
            (tmp_path / name).write_text(text)
            files.append(str(tmp_path / name))
        code = 0
        try:
            Command().run_from_argv(["rooftree", "rates", "backtest", *files, *more])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


RATES = "date,30yr_fixed\n2020-01-02,6\n2020-01-09,6\n2020-02-06,7\n"
LOANS = (
    "id,product,rate_pct,amount,term_months,started_on,officer\n"
    "1,30yr_fixed,7,400000,360,2019-01-01,dana\n2,Jumbo,7,900000,360,2019-01-01,dana\n"
)


def test_the_command_prints_alerts_false_hopes_misses_and_coverage(told):
    code, out, err = told({"min_drop_pct": 1}, RATES, LOANS)

    assert (code, err) == (0, "")
    assert "alerts            1, 0.5 a month; most in 2020-01: 1" in out
    assert "coverage          1 of 2 loans" in out
    assert "not watched       2: there are no rates of jumbo" in out

    code, out, _ = told({"min_drop_pct": 1}, RATES, LOANS, "--json")
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
def test_a_table_that_cannot_be_read_is_one_sentence(told, rates, loans):
    code, out, err = told({"min_drop_pct": 1}, rates, loans)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1

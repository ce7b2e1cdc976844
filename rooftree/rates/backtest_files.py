"""The three files of a backtest, as lenders have them: read, never trusted."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.rates.backtest import Loan, Rule

CRITERIA = ("min_drop_pct", "min_savings_cents", "target_pct", "max_break_even_months")
SERIES = {  # the public weekly ones
    "mortgage30us": "30yr_fixed",
    "pmms30": "30yr_fixed",
    "mortgage15us": "15yr_fixed",
    "pmms15": "15yr_fixed",
}
YEARS = re.compile(r"^(\d+)[- ]?(?:year|yr)[- ]")  # 30-year fixed, as people write 30yr_fixed
MOST_PCT, MOST_MONTHS, MOST_CENTS = 25, 600, 10**11
DAYS = ("date", "week", "observation_date", "observed_at", "observed_on")
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "loan_id", "loan_number"),
    "product": ("product",),
    "rate": ("rate_pct", "note_rate", "rate"),
    "cents": ("amount_cents", "balance_cents"),
    "dollars": ("amount", "loan_amount", "balance"),
    "term": ("term_months", "term"),
    "started": ("started_on", "closed_on", "funded_on", "funded_date", "first_payment_date"),
    "ended": ("ended_on", "paid_off_on"),
    "refinanced": ("refinanced_on",),
    "officer": ("officer", "officer_nmls_id"),
}


class Unreadable(ValueError):
    """A file cannot be used. The text is fit to show."""


def rule_of(data: Any) -> Rule:
    """The rule of a JSON object. Raises `Unreadable` for a key or value that is not known."""
    if not isinstance(data, Mapping):
        raise Unreadable("a rule is one JSON object")
    known = {one.name: str(one.type) for one in fields(Rule)}
    if unknown := sorted(set(data) - set(known)):
        raise Unreadable(f"a rule has no {unknown[0]}; it may have {', '.join(known)}")
    rule = Rule(**{name: _value(name, known[name], held) for name, held in data.items()})
    if all(getattr(rule, name) is None for name in CRITERIA):
        raise Unreadable(f"a rule needs one of {', '.join(CRITERIA)}")
    return rule


def _value(name: str, kind: str, held: Any) -> Any:
    if name == "products":
        if not isinstance(held, Mapping):
            raise Unreadable("products says which series each product of the loans follows")
        return {_product(str(key)): _product(str(value)) for key, value in held.items()}
    value = None if isinstance(held, bool) else _number(held)
    if value is None or not 0 <= value <= MOST_CENTS:
        raise Unreadable(f"{name} must be a number from 0 to {MOST_CENTS:,}")
    if "Decimal" in kind:
        return value
    if value != int(value):
        raise Unreadable(f"{name} must be a whole number")
    return int(value)


def rates_of(text: str) -> dict[str, list[tuple[date, Decimal]]]:
    """By product, oldest first. A row holds a day and a rate of one product, or one of each."""
    found: dict[str, dict[date, Decimal]] = {}
    for number, row in _rows(text):
        day = _day(_first(row, DAYS))
        if day is None:
            raise Unreadable(f"the rates have no day in line {number}")
        for product, said in _rates_in(row):
            rate = _within(_number(said), MOST_PCT)
            if rate is None and said not in ("", "."):  # the public series mark a gap so
                raise Unreadable(f"the rates hold {said!r} in line {number}")
            if rate is not None:
                found.setdefault(product, {})[day] = rate
    if not found:
        raise Unreadable("the rates hold no rate")
    return {product: sorted(series.items()) for product, series in found.items()}


def _rates_in(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "product" in row:
        yield _product(row["product"]), _first(row, COLUMNS["rate"])
        return
    yield from ((_product(name), said) for name, said in row.items() if name not in DAYS)


def loans_of(text: str) -> list[Loan]:
    """Every loan of the portfolio; a value that cannot be read is None, and told as such."""
    return [_loan(row, number) for number, row in _rows(text)]


def _loan(row: Mapping[str, str], number: int) -> Loan:
    said = {name: _first(row, columns) for name, columns in COLUMNS.items()}
    term = _within(_number(said["term"]), MOST_MONTHS)
    cents = _within(_number(said["cents"]), MOST_CENTS)
    dollars = _within(_number(said["dollars"]), MOST_CENTS)
    if cents is None and dollars is not None:
        cents = dollars * 100
    return Loan(
        id=said["id"] or f"line {number}",
        product=_product(said["product"]),
        rate_pct=_within(_number(said["rate"]), MOST_PCT),
        amount_cents=None if cents is None else int(cents),
        term_months=None if term is None else int(term),
        started_on=_day(said["started"]),
        ended_on=_day(said["ended"]),
        refinanced_on=_day(said["refinanced"]),
        officer=said["officer"],
    )


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a CSV with a header; names of columns without case."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip().casefold() for name in next(lines, [])]
    if len(header) < 2:
        raise Unreadable("a table needs a header and commas")
    try:
        for row in lines:
            if any(one.strip() for one in row):
                held = [one.strip() for one in row]
                yield lines.line_num, dict(zip(header, held, strict=False))
    except csv.Error as problem:
        raise Unreadable(f"line {lines.line_num} is no CSV: {problem}") from None


def _first(row: Mapping[str, str], columns: Sequence[str]) -> str:
    return next((row[name] for name in columns if row.get(name)), "")


def _product(said: str) -> str:
    plain = " ".join(said.split()).casefold()
    return SERIES.get(plain) or YEARS.sub(r"\1yr_", plain)


def _number(said: Any) -> Decimal | None:
    try:
        found = Decimal(str(said).replace(",", "").removeprefix("$").removesuffix("%").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _within(found: Decimal | None, most: int) -> Decimal | None:
    """A figure that a loan can have; what is beyond that is a slip, and not read."""
    return found if found is not None and 0 < found <= most else None


def _day(said: str) -> date | None:
    """`2026-11-23`, or as Americans write it, `11/23/2026`."""
    if american := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", said):
        month, day, year = map(int, american.groups())
        said = f"{year}-{month:02}-{day:02}"
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        return None

"""The three files of a backtest, as lenders have them: read, never trusted."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rooftree.rates.backtest import AlertRule, PortfolioLoan

CRITERIA = ("min_drop_pct", "min_savings_cents", "target_pct", "max_break_even_months")
SERIES_PRODUCTS = {  # the public weekly ones
    "mortgage30us": "30yr_fixed",
    "pmms30": "30yr_fixed",
    "mortgage15us": "15yr_fixed",
    "pmms15": "15yr_fixed",
}
YEARS_PATTERN = re.compile(
    r"^(\d+)[- ]?(?:year|yr)[- ]"
)  # 30-year fixed, as people write 30yr_fixed
MAX_PCT, MAX_MONTHS, MAX_CENTS = 25, 600, 10**11
DAY_COLUMNS = ("date", "week", "observation_date", "observed_at", "observed_on")
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


class InvalidBacktestFile(ValueError):
    """A file cannot be used. The text is fit to show."""


def parse_rule(data: Any) -> AlertRule:
    """The rule of a JSON object. Raises `Unreadable` for a key or value that is not known."""
    if not isinstance(data, Mapping):
        raise InvalidBacktestFile("a rule is one JSON object")
    known = {field.name: str(field.type) for field in fields(AlertRule)}
    if unknown := sorted(set(data) - set(known)):
        raise InvalidBacktestFile(f"a rule has no {unknown[0]}; it may have {', '.join(known)}")
    rule = AlertRule(
        **{name: _parse_rule_value(name, known[name], held) for name, held in data.items()}
    )
    if all(getattr(rule, name) is None for name in CRITERIA):
        raise InvalidBacktestFile(f"a rule needs one of {', '.join(CRITERIA)}")
    return rule


def _parse_rule_value(name: str, kind: str, held: Any) -> Any:
    if name == "products":
        if not isinstance(held, Mapping):
            raise InvalidBacktestFile(
                "products says which series each product of the loans follows"
            )
        return {
            _normalize_product(str(key)): _normalize_product(str(value))
            for key, value in held.items()
        }
    value = None if isinstance(held, bool) else _parse_number(held)
    if value is None or not 0 <= value <= MAX_CENTS:
        raise InvalidBacktestFile(f"{name} must be a number from 0 to {MAX_CENTS:,}")
    if "Decimal" in kind:
        return value
    if value != int(value):
        raise InvalidBacktestFile(f"{name} must be a whole number")
    return int(value)


def parse_rates(text: str) -> dict[str, list[tuple[date, Decimal]]]:
    """By product, oldest first. A row holds a day and a rate of one product, or one of each."""
    found: dict[str, dict[date, Decimal]] = {}
    for number, row in _iter_rows(text):
        day = _parse_day(_first_value(row, DAY_COLUMNS))
        if day is None:
            raise InvalidBacktestFile(f"the rates have no day in line {number}")
        for product, said in _iter_rates(row):
            rate = _within_limit(_parse_number(said), MAX_PCT)
            if rate is None and said not in ("", "."):  # the public series mark a gap so
                raise InvalidBacktestFile(f"the rates hold {said!r} in line {number}")
            if rate is not None:
                found.setdefault(product, {})[day] = rate
    if not found:
        raise InvalidBacktestFile("the rates hold no rate")
    return {product: sorted(series.items()) for product, series in found.items()}


def _iter_rates(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "product" in row:
        yield _normalize_product(row["product"]), _first_value(row, COLUMNS["rate"])
        return
    yield from (
        (_normalize_product(name), said) for name, said in row.items() if name not in DAY_COLUMNS
    )


def parse_loans(text: str) -> list[PortfolioLoan]:
    """Every loan of the portfolio; a value that cannot be read is None, and told as such."""
    return [_parse_loan(row, number) for number, row in _iter_rows(text)]


def _parse_loan(row: Mapping[str, str], number: int) -> PortfolioLoan:
    said = {name: _first_value(row, columns) for name, columns in COLUMNS.items()}
    term = _within_limit(_parse_number(said["term"]), MAX_MONTHS)
    cents = _within_limit(_parse_number(said["cents"]), MAX_CENTS)
    dollars = _within_limit(_parse_number(said["dollars"]), MAX_CENTS)
    if cents is None and dollars is not None:
        cents = dollars * 100
    return PortfolioLoan(
        id=said["id"] or f"line {number}",
        product=_normalize_product(said["product"]),
        rate_pct=_within_limit(_parse_number(said["rate"]), MAX_PCT),
        amount_cents=None if cents is None else int(cents),
        term_months=None if term is None else int(term),
        started_on=_parse_day(said["started"]),
        ended_on=_parse_day(said["ended"]),
        refinanced_on=_parse_day(said["refinanced"]),
        officer=said["officer"],
    )


def _iter_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a CSV with a header; names of columns without case."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip().casefold() for name in next(lines, [])]
    if len(header) < 2:
        raise InvalidBacktestFile("a table needs a header and commas")
    try:
        for row in lines:
            if any(one.strip() for one in row):
                held = [one.strip() for one in row]
                yield lines.line_num, dict(zip(header, held, strict=False))
    except csv.Error as problem:
        raise InvalidBacktestFile(f"line {lines.line_num} is no CSV: {problem}") from None


def _first_value(row: Mapping[str, str], columns: Sequence[str]) -> str:
    return next((row[name] for name in columns if row.get(name)), "")


def _normalize_product(said: str) -> str:
    plain = " ".join(said.split()).casefold()
    return SERIES_PRODUCTS.get(plain) or YEARS_PATTERN.sub(r"\1yr_", plain)


def _parse_number(said: Any) -> Decimal | None:
    try:
        found = Decimal(str(said).replace(",", "").removeprefix("$").removesuffix("%").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _within_limit(found: Decimal | None, most: int) -> Decimal | None:
    """A figure that a loan can have; what is beyond that is a slip, and not read."""
    return found if found is not None and 0 < found <= most else None


def _parse_day(said: str) -> date | None:
    """`2026-11-23`, or as Americans write it, `11/23/2026`."""
    if american := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", said):
        month, day, year = map(int, american.groups())
        said = f"{year}-{month:02}-{day:02}"
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        return None

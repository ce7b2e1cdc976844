"""Parse the three files of a backtest, as lenders export them, without trusting them."""

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
SERIES_PRODUCTS = {  # the public weekly series
    "mortgage30us": "30yr_fixed",
    "pmms30": "30yr_fixed",
    "mortgage15us": "15yr_fixed",
    "pmms15": "15yr_fixed",
}
YEARS_PATTERN = re.compile(r"^(\d+)[- ]?(?:year|yr)[- ]")  # 30-year fixed: 30yr_fixed
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
    """A file can't be used. The text is fit to show."""


def parse_rule(data: Any) -> AlertRule:
    """Parse a rule's JSON object. Raises `InvalidBacktestFile` for an unknown key or bad value."""
    if not isinstance(data, Mapping):
        raise InvalidBacktestFile("a rule must be one JSON object")
    field_types = {field.name: str(field.type) for field in fields(AlertRule)}
    if unknown := sorted(set(data) - set(field_types)):
        raise InvalidBacktestFile(
            f"a rule has no {unknown[0]}; it can have {', '.join(field_types)}"
        )
    rule = AlertRule(
        **{name: _parse_rule_value(name, field_types[name], value) for name, value in data.items()}
    )
    if all(getattr(rule, name) is None for name in CRITERIA):
        raise InvalidBacktestFile(f"a rule needs at least one of {', '.join(CRITERIA)}")
    return rule


def _parse_rule_value(name: str, field_type: str, value: Any) -> Any:
    if name == "products":
        if not isinstance(value, Mapping):
            raise InvalidBacktestFile("products must map each loan product to its rate series")
        return {
            _normalize_product(str(product)): _normalize_product(str(series))
            for product, series in value.items()
        }
    number = None if isinstance(value, bool) else _parse_number(value)
    if number is None or not 0 <= number <= MAX_CENTS:
        raise InvalidBacktestFile(f"{name} must be a number from 0 to {MAX_CENTS:,}")
    if "Decimal" in field_type:
        return number
    if number != int(number):
        raise InvalidBacktestFile(f"{name} must be a whole number")
    return int(number)


def parse_rates(text: str) -> dict[str, list[tuple[date, Decimal]]]:
    """Parse rates by product, oldest first.

    A row has a day and the rate of one product, or a day and one rate per product.
    """
    series_by_product: dict[str, dict[date, Decimal]] = {}
    for number, row in _iter_rows(text):
        day = _parse_day(_first_value(row, DAY_COLUMNS))
        if day is None:
            raise InvalidBacktestFile(f"the rates have no day in line {number}")
        for product, text_value in _iter_rates(row):
            rate = _within_limit(_parse_number(text_value), MAX_PCT)
            if rate is None and text_value not in (
                "",
                ".",
            ):  # the public series mark a gap like this
                raise InvalidBacktestFile(f"the rates hold {text_value!r} in line {number}")
            if rate is not None:
                series_by_product.setdefault(product, {})[day] = rate
    if not series_by_product:
        raise InvalidBacktestFile("the rates hold no rate")
    return {product: sorted(series.items()) for product, series in series_by_product.items()}


def _iter_rates(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "product" in row:
        yield _normalize_product(row["product"]), _first_value(row, COLUMNS["rate"])
        return
    yield from (
        (_normalize_product(name), value) for name, value in row.items() if name not in DAY_COLUMNS
    )


def parse_loans(text: str) -> list[PortfolioLoan]:
    """Parse every loan of the portfolio; an unreadable value becomes None."""
    return [_parse_loan(row, number) for number, row in _iter_rows(text)]


def _parse_loan(row: Mapping[str, str], number: int) -> PortfolioLoan:
    values = {name: _first_value(row, columns) for name, columns in COLUMNS.items()}
    term = _within_limit(_parse_number(values["term"]), MAX_MONTHS)
    cents = _within_limit(_parse_number(values["cents"]), MAX_CENTS)
    dollars = _within_limit(_parse_number(values["dollars"]), MAX_CENTS)
    if cents is None and dollars is not None:
        cents = dollars * 100
    return PortfolioLoan(
        id=values["id"] or f"line {number}",
        product=_normalize_product(values["product"]),
        rate_pct=_within_limit(_parse_number(values["rate"]), MAX_PCT),
        amount_cents=None if cents is None else int(cents),
        term_months=None if term is None else int(term),
        started_on=_parse_day(values["started"]),
        ended_on=_parse_day(values["ended"]),
        refinanced_on=_parse_day(values["refinanced"]),
        officer=values["officer"],
    )


def _iter_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and row of a CSV with a header; column names ignore case."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip().casefold() for name in next(lines, [])]
    if len(header) < 2:
        raise InvalidBacktestFile("a table needs a header and commas")
    try:
        for row in lines:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield lines.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as problem:
        raise InvalidBacktestFile(f"line {lines.line_num} is not CSV: {problem}") from None


def _first_value(row: Mapping[str, str], columns: Sequence[str]) -> str:
    return next((row[name] for name in columns if row.get(name)), "")


def _normalize_product(name: str) -> str:
    normalized = " ".join(name.split()).casefold()
    return SERIES_PRODUCTS.get(normalized) or YEARS_PATTERN.sub(r"\1yr_", normalized)


def _parse_number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value).replace(",", "").removeprefix("$").removesuffix("%").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _within_limit(number: Decimal | None, limit: int) -> Decimal | None:
    """Return a plausible figure; None for one beyond the limit, which is a typing error."""
    return number if number is not None and 0 < number <= limit else None


def _parse_day(text: str) -> date | None:
    """Parse `2026-11-23` or the US form `11/23/2026`."""
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        month, day, year = map(int, match.groups())
        text = f"{year}-{month:02}-{day:02}"
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None

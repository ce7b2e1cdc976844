"""SOQL, Salesforce's query language: parse one query and run it over rows.

After developer.salesforce.com (SOQL and SOSL Reference): field lists with dotted relationships,
COUNT(), FIELDS(), WHERE with AND, OR, NOT, comparisons, LIKE and IN, date literals, ORDER BY, LIMIT
and OFFSET. Everything else (GROUP BY, subqueries, TYPEOF) is refused by its name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from rooftree_simulators.vendor_base import Json

type Test = Callable[[Json], bool]

_TOKEN = re.compile(
    r"\s*('(?:[^'\\]|\\.)*'|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)|\d{4}-\d\d-\d\d"
    r"|-?\d+(?:\.\d+)?|[A-Za-z_][\w.:]*|!=|<>|<=|>=|[(),=<>])"
)
_UNSUPPORTED = {"group", "having", "typeof", "for", "using", "with", "includes", "excludes"}
_FIELD_NAME = re.compile(r"[A-Za-z][\w.]*")
_DAYS_BACK = re.compile(r"(LAST|NEXT)_N_DAYS:(\d+)", re.IGNORECASE)


class MalformedQuery(ValueError):
    """The query can't be run. The text says why, in Salesforce's words as far as they're public."""


@dataclass(slots=True, kw_only=True)
class Query:
    """One parsed query."""

    name: str  # of the sObject
    fields: list[str]  # dotted for a relationship; empty for COUNT()
    is_count: bool = False
    matches: Test = field(default=lambda _: True)
    named: list[str] = field(default_factory=list)  # fields of WHERE and ORDER BY
    order: list[tuple[str, bool]] = field(default_factory=list)  # field, is descending
    limit: int | None = None
    offset: int = 0

    def run(self, rows: Iterable[Json]) -> list[Json]:
        """Return the matching rows in order, all fields of each."""
        found = [row for row in rows if self.matches(row)]
        for name, is_descending in reversed(self.order):
            found.sort(key=lambda row: _sort_key(row.get(name)), reverse=is_descending)
        ends = None if self.limit is None else self.offset + self.limit
        return found[self.offset : ends]


def parse_query(text: str, now: datetime) -> Query:
    """Parse a query. Raises `MalformedQuery`."""
    return _Parser(_split_tokens(text), now).parse()


def _split_tokens(text: str) -> list[str]:
    tokens, place, text = [], 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise MalformedQuery(f"unexpected token: '{text[place : place + 10].strip()}'")
        tokens.append(match[1])
        place = match.end()
    return tokens


def _sort_key(value: Any) -> tuple[int, Any]:
    """Order nulls first, then numbers, then text without regard to case."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | float) else (2, str(value).casefold())


class _Parser:
    def __init__(self, tokens: list[str], now: datetime) -> None:
        self.tokens, self.place, self.now = tokens, 0, now
        self.named: list[str] = []

    def parse(self) -> Query:
        self._expect("select")
        fields, is_count = self._read_fields()
        self._expect("from")
        query = Query(name=self._read_name(), fields=fields, is_count=is_count)
        if self._take("where"):
            query.matches = self._read_either()
        if self._take("order"):
            self._expect("by")
            query.order = self._read_order()
        if self._take("limit"):
            query.limit = self._read_number()
        if self._take("offset"):
            query.offset = self._read_number()
        if self._peek():
            raise MalformedQuery(f"unexpected token: '{self._peek()}'")
        query.named = [*self.named, *(name for name, _ in query.order)]
        return query

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _take(self, *words: str) -> bool:
        is_next = self._peek().casefold() in words
        self.place += is_next
        return is_next

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise MalformedQuery(f"unexpected token: '{self._peek() or '<EOF>'}'")

    def _read_token(self) -> str:
        token = self._peek()
        if not token or token.casefold() in _UNSUPPORTED:
            raise MalformedQuery(f"unexpected token: '{token or '<EOF>'}'")
        self.place += 1
        return token

    def _read_name(self) -> str:
        token = self._read_token()
        if not _FIELD_NAME.fullmatch(token):
            raise MalformedQuery(f"unexpected token: '{token}'")
        return token

    def _read_number(self) -> int:
        token = self._read_token()
        if not token.isdigit():
            raise MalformedQuery(f"unexpected token: '{token}'")
        return int(token)

    def _read_fields(self) -> tuple[list[str], bool]:
        if self._take("count"):
            self._expect("(")
            self._expect(")")
            return [], True
        fields = []
        while True:
            name = self._read_name()
            if name.casefold() == "fields" and self._take("("):
                name = f"FIELDS({self._read_name().upper()})"
                self._expect(")")
            fields.append(name)
            if not self._take(","):
                return fields, False

    def _read_order(self) -> list[tuple[str, bool]]:
        order = []
        while True:
            name = self._read_name()
            is_descending = self._take("desc")
            if not is_descending:
                self._take("asc")
            if self._take("nulls") and not self._take("first", "last"):
                raise MalformedQuery(f"unexpected token: '{self._peek()}'")
            order.append((name, is_descending))
            if not self._take(","):
                return order

    def _read_either(self) -> Test:
        tests = [self._read_both()]
        while self._take("or"):
            tests.append(self._read_both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _read_both(self) -> Test:
        tests = [self._read_test()]
        while self._take("and"):
            tests.append(self._read_test())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _read_test(self) -> Test:
        if self._take("not"):
            test = self._read_test()
            return lambda row: not test(row)
        if self._take("("):
            test = self._read_either()
            self._expect(")")
            return test
        return self._read_comparison()

    def _read_comparison(self) -> Test:
        name = self._read_name()
        self.named.append(name)
        is_negated = self._take("not")
        if self._take("in"):
            wanted = self._read_list()
            return lambda row: (_folded(row.get(name)) in wanted) != is_negated
        sign = self._read_token().casefold()
        if is_negated or sign not in {"=", "!=", "<>", "<", ">", "<=", ">=", "like"}:
            raise MalformedQuery(f"unexpected token: '{sign}'")
        value = self._read_value()
        if sign == "like":
            letters = ({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in str(value))
            pattern = re.compile("".join(letters), re.IGNORECASE | re.DOTALL)
            return lambda row: pattern.fullmatch(str(row.get(name) or "")) is not None
        return lambda row: _compare(row.get(name), sign, value)

    def _read_list(self) -> set[Any]:
        self._expect("(")
        if self._peek().casefold() == "select":
            raise MalformedQuery("unexpected token: 'SELECT'")
        values = [_folded(self._read_value())]
        while self._take(","):
            values.append(_folded(self._read_value()))
        self._expect(")")
        return set(values)

    def _read_value(self) -> Any:
        token = self._read_token()
        word = token.casefold()
        if token.startswith("'"):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        if re.fullmatch(r"-?\d+(\.\d+)?", token):
            return float(token)
        if re.match(r"\d{4}-", token):
            return _Moment(token)
        return self._read_day(token)

    def _read_day(self, token: str) -> "_Moment":
        today = self.now.astimezone(UTC).date()
        days = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}.get(token.upper())
        if days is not None:
            return _Moment((today + timedelta(days=days)).isoformat())
        if match := _DAYS_BACK.fullmatch(token):
            count = int(match[2]) * (-1 if match[1].upper() == "LAST" else 1)
            return _Moment((today + timedelta(days=count)).isoformat(), until=today)
        raise MalformedQuery(f"unexpected token: '{token}'")


class _Moment:
    """A date or time in a query; a date covers its whole day, a span of days all of them."""

    def __init__(self, text: str, until: date | None = None) -> None:
        if "T" in text:
            self.first = self.last = _read_moment(text)
            return
        days = sorted({date.fromisoformat(text), until or date.fromisoformat(text)})
        self.first = datetime.combine(days[0], time(), UTC)
        self.last = datetime.combine(days[-1], time.max, UTC)

    def compare(self, text: str, sign: str) -> bool:
        moment = _read_moment(text)
        return {
            "=": self.first <= moment <= self.last,
            "<": moment < self.first,
            "<=": moment <= self.last,
            ">": moment > self.last,
            ">=": moment >= self.first,
        }.get(sign, not self.first <= moment <= self.last)


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _compare(found: Any, sign: str, value: Any) -> bool:
    """Compare as Salesforce does: text without regard to case, and no order with null."""
    if sign in ("!=", "<>"):
        return not _compare(found, "=", value)
    if value is None:
        return sign == "=" and found in (None, "")
    if found is None:
        return sign == "=" and value in (False, "")
    if isinstance(value, _Moment):
        return value.compare(str(found), sign)
    if sign == "=":
        return bool(_folded(found) == _folded(value))
    left, right = _sort_key(found), _sort_key(value)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]

"""The small grammar of conditions in sequences: `not replied and state is FL, GA`.

A condition is one or more clauses joined by “and”. A clause is a yes-or-no fact (`replied`,
`not talked`), a comparison (`state is FL, GA`, `purpose is not heloc`, `score at least 60`) or
a question whether something is known (`has credit`, `no timeline`). Everything here is pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

type Fact = bool | str | int | None

FLAGS = {
    "replied": "The borrower has written to us",
    "talked": "Someone has talked with the borrower",
}
WORDS = {
    "stage": "Stage of the lead: new, working, nurture, application, funded, retired",
    "state": "State of the property, such as FL",
    "purpose": "Loan purpose, such as purchase or heloc",
    "program": "Loan program, such as va or fha",
    "source": "Source of the lead, by its address name",
    "timeline": "When they plan to borrow, such as 6_12_months",
    "credit": "Credit as the borrower stated it",
    "use": "Use of the property, such as primary",
    "language": "Language: en or es",
}
NUMBERS = {
    "score": "Score, 0 to 100",
    "days_since_inquiry": "Days since the borrower last asked us",
    "amount": "Loan amount in dollars",
}
FACTS = FLAGS | WORDS | NUMBERS
MAX_LENGTH = 300
_COMPARISON = re.compile(r"(\w+) (is not|is|at least|at most) (.+)")


class BadCondition(ValueError):
    """A condition that can't be understood. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of a condition."""

    fact: str
    test: str  # true, is, at least, at most, known
    values: tuple[str, ...] = ()
    limit: int = 0
    is_negated: bool = False

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Return True if the clause is true; an unknown value fits no comparison at all."""
        value = facts.get(self.fact)
        if self.test == "true":
            return bool(value) is not self.is_negated
        is_known = value is not None and value != ""
        if self.test == "known":
            return is_known is not self.is_negated
        if not is_known:
            return False
        if self.test == "is":
            return (str(value).lower() in self.values) is not self.is_negated
        number = int(value or 0)
        return number >= self.limit if self.test == "at least" else number <= self.limit


def parse_condition(text: str) -> tuple[Clause, ...]:
    """Parse a condition; "" has no clauses and always holds. Raises `BadCondition`."""
    plain = " ".join(text.split())
    if len(plain) > MAX_LENGTH:
        raise BadCondition(f"Use at most {MAX_LENGTH} characters in a condition.")
    if not plain:
        return ()
    return tuple(_parse_clause(part.strip()) for part in re.split(r"\band\b", plain))


def condition_holds(clauses: tuple[Clause, ...], facts: Mapping[str, Fact]) -> bool:
    """Return True if every clause holds."""
    return all(clause.holds(facts) for clause in clauses)


def _parse_clause(text: str) -> Clause:
    if not text:
        raise BadCondition("Write something on both sides of “and”.")
    comparison = _COMPARISON.fullmatch(text)
    if comparison:
        return _parse_comparison(*comparison.groups())
    first, _, rest = text.partition(" ")
    if first in ("has", "no") and rest:
        if _known_fact(rest) in FLAGS:
            raise BadCondition(f"“{rest}” is yes or no. Write “{rest}” or “not {rest}”.")
        return Clause(fact=rest, test="known", is_negated=first == "no")
    flag = rest if first == "not" and rest else text
    if _known_fact(flag) not in FLAGS:
        raise BadCondition(f"Say what “{flag}” should be, such as “{_example(flag)}”.")
    return Clause(fact=flag, test="true", is_negated=flag != text)


def _parse_comparison(fact: str, test: str, typed: str) -> Clause:
    if _known_fact(fact) in FLAGS:
        raise BadCondition(f"“{fact}” is yes or no. Write “{fact}” or “not {fact}”.")
    if test in ("at least", "at most"):
        if fact not in NUMBERS:
            raise BadCondition(f"“{fact}” is not a number. Write “{_example(fact)}”.")
        number = typed.replace(",", "")
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            raise BadCondition(f"“{typed}” is not a whole number.")
        return Clause(fact=fact, test=test, limit=int(number))
    if fact in NUMBERS:
        raise BadCondition(f"Compare “{fact}” with “at least” or “at most”.")
    values = tuple(value.strip().lower() for value in typed.split(","))
    if not all(values):
        raise BadCondition(f"Write a value between the commas after “{fact} {test}”.")
    return Clause(fact=fact, test="is", values=values, is_negated=test == "is not")


def _known_fact(name: str) -> str:
    if name not in FACTS:
        raise BadCondition(f"There is no “{name}” to ask about. Use one of: {', '.join(FACTS)}.")
    return name


def _example(fact: str) -> str:
    return f"{fact} at least 60" if fact in NUMBERS else f"{fact} is ..."

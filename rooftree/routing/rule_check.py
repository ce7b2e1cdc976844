"""Whether rules are sound and lawful, answered in sentences for the person who edits them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rooftree.core.us_states import STATES
from rooftree.leads.vocabulary import Purpose
from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.permitted_rule_facts import equal_wait_sentence, refusal_of_field
from rooftree.routing.routing_rules import (
    ArrivalSpan,
    Backup,
    BackupKind,
    Criteria,
    Pool,
    Rule,
    WhenNobody,
)

MAX_TAKE_SECONDS = 3600
MIN_TAKE_SECONDS = 15
MAX_WEIGHT = 10
CREDIT_BANDS = ("excellent", "good", "fair", "poor", "no_history")


class BadRules(Exception):
    """Rules that may not be published. `problems` are sentences for staff."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def parse_rules(typed: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules somebody typed, in order.

    Raises `BadRules` with every problem of every rule, so that one look mends all.
    """
    problems = [problem for one in typed for problem in _unknown_field_problems(one)]
    if problems:
        raise BadRules(problems)
    try:
        rules = tuple(Rule.from_json(one) for one in typed)
    except (TypeError, ValueError, KeyError) as error:
        raise BadRules([f"A rule has a part that cannot be read: {error}."]) from error
    check_rules(rules)
    return rules


def check_rules(rules: Sequence[Rule]) -> None:
    """Raise `BadRules` unless the rules, as a whole and each one, may be published."""
    problems = [f"{_rule_label(rule)}: {said}" for rule in rules for said in find_problems(rule)]
    names = [rule.name.strip().lower() for rule in rules]
    twice = {rule.name for rule in rules if names.count(rule.name.strip().lower()) > 1}
    problems += _language_wait_problems(rules)
    problems += [f"Two rules are called {name}; decisions name their rule." for name in twice]
    if not rules:
        problems.append("There must be at least one rule, or every lead raises an alarm.")
    if problems:
        raise BadRules(problems)


def _language_wait_problems(rules: Sequence[Rule]) -> Iterator[str]:
    """A rule by language gives no more time than the later ones, which else had decided."""
    for place, rule in enumerate(rules):
        others = [rule.take_seconds for rule in rules[place:] if not rule.criteria.languages]
        if rule.criteria.languages and rule.take_seconds > min(others, default=rule.take_seconds):
            yield (
                f"{_rule_label(rule)}: give at most {min(others)} seconds to take it, as the rules "
                f"after it do; {equal_wait_sentence()}."
            )


def find_problems(rule: Rule) -> list[str]:
    """What is wrong with one rule, as sentences; empty when nothing is."""
    found = [] if rule.name.strip() else ["give it a name."]
    found += _criteria_problems(rule.criteria)
    found += _pool_problems(rule)
    found += _take_time_problems(rule.take_seconds)
    for place, step in enumerate(rule.chain, start=1):
        found += [f"step {place} of its chain: {said}" for said in _backup_problems(step)]
    if rule.nobody is WhenNobody.POOL and (
        rule.nobody_pool is None or rule.nobody_pool.is_everyone
    ):
        found.append("say which pool takes over when nobody can take the lead.")
    return found


def _unknown_field_problems(typed: Mapping[str, Any]) -> Iterator[str]:
    known = set(Rule.__dataclass_fields__)
    label = typed.get("name") or "A rule without a name"
    for key in typed.keys() - known:
        yield f"{label}: {refusal_of_field(key) or f'{key} belongs among its criteria.'}"
    criteria = typed.get("criteria")
    if criteria is not None and not isinstance(criteria, Mapping):
        yield f"{label}: its criteria are not a list of names and values."
        return
    for key in criteria or {}:
        refused = refusal_of_field(key)
        if refused:
            yield f"{label}: {refused}"


def _criteria_problems(criteria: Criteria) -> Iterator[str]:
    unknown = [state for state in criteria.states if state not in STATES]
    if unknown:
        yield f"{', '.join(unknown)} is not a state; use its two letters, as TX."
    if criteria.states and criteria.without_state:
        yield "a lead cannot be in a state and without one; make two rules."
    if strange := sorted(set(criteria.purposes) - set(Purpose)):
        yield f"{', '.join(strange)} is not a loan purpose we know."
    if set(criteria.credit_bands) - set(CREDIT_BANDS):
        yield f"stated credit is one of {', '.join(CREDIT_BANDS)}."
    if criteria.inquiry not in ("", "new", "repeat"):
        yield "an inquiry is new or a repeat."
    yield from _number_problems(criteria)
    if criteria.hours:
        yield from _span_problems(criteria.hours)


def _number_problems(criteria: Criteria) -> Iterator[str]:
    least, limit, score = (
        criteria.amount_from_cents,
        criteria.amount_below_cents,
        criteria.score_at_least,
    )
    if least is not None and limit is not None and least >= limit:
        yield "the smallest amount must be below the largest."
    if score is not None and not 0 <= score <= 100:
        yield "a score lies between 0 and 100."


def _span_problems(span: ArrivalSpan) -> Iterator[str]:
    if set(span.days) - set(WEEKDAYS):
        yield "days are written mon, tue, wed, thu, fri, sat, sun."
    clocks = (span.from_time, span.until_time)
    if not all(len(c) == 5 and c[2] == ":" and "00:00" <= c <= "24:00" for c in clocks):
        yield "times are written as 08:00."
    elif span.from_time == span.until_time:
        yield "hours that begin and end together are no hours."


def _pool_problems(rule: Rule) -> Iterator[str]:
    if rule.criteria.without_state and rule.pool.is_everyone:
        yield (
            "name who finds out the property state; without one, no license can be checked, "
            "so it cannot be everyone."
        )
    yield from _weight_problems(rule.pool)


def _weight_problems(pool: Pool) -> Iterator[str]:
    if not all(isinstance(w, int) and 1 <= w <= MAX_WEIGHT for w in pool.weights.values()):
        yield f"a share is a whole number from 1 to {MAX_WEIGHT}."


def _take_time_problems(seconds: int) -> Iterator[str]:
    if not MIN_TAKE_SECONDS <= seconds <= MAX_TAKE_SECONDS:
        yield f"give between {MIN_TAKE_SECONDS} seconds and an hour to take a lead."


def _backup_problems(step: Backup) -> Iterator[str]:
    if step.kind is BackupKind.OFFICERS and not step.officers:
        yield "say which loan officers."
    if step.kind is BackupKind.BRANCH and not step.branch:
        yield "say which branch."
    yield from _take_time_problems(step.take_seconds)


def _rule_label(rule: Rule) -> str:
    return rule.name.strip() or "A rule without a name"
